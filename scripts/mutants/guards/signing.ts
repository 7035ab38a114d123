import type { Guard } from "./guard.ts";

const policy = (code: string, guard: string, instead: string): Guard => ({
  name: `signer: ${code}`,
  file: "wallets/policy.ts",
  guard,
  instead,
  tests: ["test/wallets/policy.test.ts", "test/wallets/policy.property.test.ts"],
});

const signer = (name: string, file: string, guard: string, instead: string, ...tests: string[]): Guard => ({
  name: `signer: ${name}`,
  file,
  guard,
  instead,
  tests,
});

/** What a signer refuses, and the addresses that it is asked for. */
export const signing: readonly Guard[] = [
  policy("paused", "if (context.pauseReason !== null) return", "if (false as boolean) return"),
  policy("wrong_chain", "if (context.chainId !== baseChainId)", "if (false as boolean)"),
  policy(
    "instruction_mismatch",
    "if (instruction.id !== request.instructionId) {",
    "if (false as boolean) {",
  ),
  policy(
    "instruction_not_signable",
    'if (instruction.state !== "queued" && instruction.state !== "sending") {',
    "if (false as boolean) {",
  ),
  policy("instruction_changed", "if (!isSame)", "if (false as boolean)"),
  policy(
    "nonce_changed",
    "if (!hasFailed || (isSameSender && request.nonce < signedBefore.nonce)) {",
    "if (false as boolean) {",
  ),
  policy(
    "source_mismatch",
    "if (context.sourceAddress !== instruction.sourceAddress) {",
    "if (false as boolean) {",
  ),
  policy(
    "purpose_not_allowed",
    "if (!routes[instruction.kind].from.includes(request.wallet.purpose)) {",
    "if (false as boolean) {",
  ),
  policy("token_not_allowed", "if (!isAllowed) return", "if (false as boolean) return"),
  policy("amount_not_positive", "if (instruction.amount <= 0n) return", "if (false as boolean) return"),
  policy("destination_zero", "if (destination === zeroAddress) return", "if (false as boolean) return"),
  policy("destination_is_token", "if (context.limits.has(destination)) {", "if (false as boolean) {"),
  policy("destination_unproven", 'if (owner.kind === "unproven") {', "if (false as boolean) {"),
  policy(
    "destination_not_allowed",
    'return isAllowed ? null : reject("destination_not_allowed"',
    'return true ? null : reject("destination_not_allowed"',
  ),
  policy(
    "over_fee_cap",
    "if (request.maxFeePerGas * request.gasLimit > capWei) {",
    "if (false as boolean) {",
  ),
  policy(
    "over_transaction_limit",
    "if (instruction.amount > limits.perTransaction) {",
    "if (false as boolean) {",
  ),
  policy("amount_not_zero", "return instruction.amount === 0n", "return (true as boolean)"),
  policy(
    "destination_is_source",
    "if (destination === instruction.sourceAddress) {",
    "if (false as boolean) {",
  ),
  policy(
    "fee_malformed",
    "if (request.maxPriorityFeePerGas > request.maxFeePerGas) {",
    "if (false as boolean) {",
  ),
  policy("over_topup_limit", "return instruction.amount > context.maxTopupWei", "return (false as boolean)"),
  policy("history_full", "return isHistoryFull", "return (false as boolean)"),
  policy("larger_than_hour_limit", "if (instruction.amount > limits.perHour) {", "if (false as boolean) {"),
  policy(
    "over_hour_limit",
    "context.leftWithinHour + instruction.amount > limits.perHour) {",
    "context.leftWithinHour < 0n) {",
  ),
  signer(
    "what is no question isn't answered",
    "wallets/signer-host.ts",
    "const asked = question.safeParse(message);",
    "const asked = { success: true as boolean, data: message as Question };",
    "test/engine/signer-channel.test.ts",
  ),
  signer(
    "what is asked for alone has the form of it",
    "wallets/keyring-signer.ts",
    "const parsed = signRequestSchema.safeParse(untrusted);",
    "const parsed = { success: true as boolean, data: untrusted };",
    "test/engine/signer-channel.test.ts",
  ),
  signer(
    "what is asked for together has the form of it",
    "wallets/keyring-signer.ts",
    "const parsed = batchRequestSchema.safeParse(untrusted);",
    "const parsed = { success: true as boolean, data: untrusted };",
    "test/engine/signer-channel.test.ts",
  ),
  signer(
    "what another version has prepared for its executor isn't asked of ours",
    "wallets/keyring-signer.ts",
    "if (executor !== own)",
    "if (false as boolean)",
    "test/wallets/batch.test.ts",
  ),
  signer(
    "another nonce needs and takes new room within the hour",
    "wallets/history.ts",
    "return before?.isOwn === true && isSamePayment(before, payment);",
    "return before?.isOwn === true;",
    "test/wallets/signer.test.ts",
  ),
  signer(
    "what is only said to have been signed gives no room within the hour",
    "wallets/history.ts",
    "return before?.isOwn === true && isSamePayment(before, payment);",
    "return before !== undefined && isSamePayment(before, payment);",
    "test/wallets/signer.test.ts",
  ),
  signer(
    "nothing that is said takes the place of what was signed here",
    "wallets/history.ts",
    "this.#count(Symbol(), payload);",
    "this.#count(keyOf(payload), payload);",
    "test/wallets/signer.test.ts",
  ),
  signer(
    "a higher fee after a restart takes the place of what was signed before it",
    "wallets/history.ts",
    "this.#drop(keyOf(payload));",
    "",
    "test/wallets/signer.test.ts",
  ),
  signer(
    "those of one batch share the room within the hour",
    "wallets/keyring-signer.ts",
    "leftWithinHour: left - recalled + leavesTogether,",
    "leftWithinHour: left - recalled,",
    "test/wallets/batch.test.ts",
  ),
  signer(
    "what was signed before a restart, or by another process, takes room within the hour",
    "wallets/keyring-signer.ts",
    "for (const payload of (await this.#options.readSigned?.()) ?? [])",
    "for (const payload of [] as SignedPayload[])",
    "test/wallets/signer.test.ts",
  ),
  signer(
    "what another process signed while this one rested takes room within the hour",
    "wallets/keyring-signer.ts",
    "if (now - this.#askedAtMs > longestRestMs)",
    "if (this.#askedAtMs < 0)",
    "test/wallets/signer.test.ts",
  ),
  signer(
    "what is signed is counted before its bytes exist",
    "wallets/keyring-signer.ts",
    "for (const payload of payloads) this.#history.record({ payload, leaves: leavesOurWallets(payload.kind) });",
    "",
    "test/wallets/signer.test.ts",
  ),
  signer(
    "a batch is signed again with the same others only",
    "wallets/policy.ts",
    "return isSameList(signedBefore.together, together)",
    "return (true as boolean)",
    "test/wallets/batch.test.ts",
  ),
  {
    name: "wallets: who finds none makes one more, whatever others have claimed",
    file: "engine/services/wallets.ts",
    guard: "if (context.signer.holdsKeys) return issueWallet(context, purpose);",
    instead: "if (context.signer.holdsKeys) return ensureSpareWallets(context, purpose);",
    tests: ["test/services/races.test.ts"],
  },
  {
    name: "an address is derived from a committed row only",
    file: "engine/services/wallets.ts",
    guard:
      "const wallet = await transaction(context.pool, (tx) => reserveWallet(tx, purpose));\n  await address(context, wallet);",
    instead:
      "await transaction(context.pool, async (tx) => address({ ...context, pool: tx as never }, await reserveWallet(tx, purpose)));",
    tests: ["test/services/escrows.test.ts"],
  },
  {
    name: "an address that a dead process didn't come to is derived at the next start",
    file: "engine/services/wallets.ts",
    guard: "await addressWallets(context);",
    instead: "",
    tests: ["test/services/escrows.test.ts"],
  },
  {
    name: "signer: the nonce that another process signed with last counts",
    file: "wallets/history.ts",
    guard: "(isSamePayment(known, payload) || payload.signedAt < known.signedAt)",
    instead: "(true as boolean)",
    tests: ["test/wallets/signer.test.ts"],
  },
];
