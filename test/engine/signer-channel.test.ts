/** The private channel of the process that holds the keys, by somebody who has come to speak on it and says anything. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { readConfig } from "../../engine/config.ts";
import { type SignerProcess, startSignerProcess } from "../../engine/signer-process.ts";
import type { WalletRef } from "../../wallets/derivation.ts";
import { executorOf } from "../../wallets/executor.ts";
import type { Answer } from "../../wallets/signer-protocol.ts";
import { createWatchedWorld, type MoneyWorld } from "../helpers/money-world.ts";
import { ask, readyToWithdraw } from "../helpers/sender.ts";
import { waitFor } from "../helpers/wait.ts";

const vault: WalletRef = { purpose: "vault", index: 0 };
const gas: WalletRef = { purpose: "gas", index: 0 };
const deposit: WalletRef = { purpose: "deposit", index: 0 };
const terms = { nonce: 0, gasLimit: 90_000n, maxFeePerGas: 1_000_000n, maxPriorityFeePerGas: 0n };

let world: MoneyWorld;
let keyHolder: SignerProcess;
/** Two withdrawals from the vault, as committed. */
let committed: string[];
const heard: Answer[] = [];

beforeAll(async () => {
  world = await createWatchedWorld();
  const player = await readyToWithdraw(world, 1_000n);
  committed = [await ask(world, player, 1n), await ask(world, player, 2n)];
  const { ownerUrl: _, ...urls } = world.database;
  keyHolder = await startSignerProcess(
    readConfig({
      DATABASE_URL: urls.appUrl,
      DATABASE_SIGNER_URL: urls.signerUrl,
      BASE_RPC_URLS: world.base.rpcUrl,
      TOKENS: `${world.base.openwork},${world.base.usdc}`,
    }),
    { known: [] },
  );
  keyHolder.channel.onMessage((message) => void heard.push(message as Answer));
});
afterAll(async () => {
  await keyHolder?.close();
  await world?.stop();
});

let lastId = 1_000_000;
/** What comes back for a question of any kind, as it went over the wire. */
async function answerTo(call: string, argument: unknown): Promise<Answer> {
  lastId += 1;
  const id = lastId;
  keyHolder.channel.send({ id, call, argument });
  return waitFor(() => heard.find((answer) => answer.id === id), { what: `an answer to ${call}` });
}

const deep = (levels: number): unknown => (levels === 0 ? "down here" : [deep(levels - 1)]);
/** Well above what any honest question has. */
const big = "1".repeat(20_000_000);

it.each<[string, unknown]>([
  ["a text", "sign"],
  ["a number", 7],
  ["an empty one", {}],
  ["a list", [{ id: 1, call: "addressOf", argument: vault }]],
  ["no number", { id: "1", call: "addressOf", argument: vault }],
  ["a number below zero", { id: -1, call: "addressOf", argument: vault }],
  ["half a number", { id: 0.5, call: "addressOf", argument: vault }],
  ["a kind that isn't known", { id: 1, call: "reveal", argument: vault }],
  ["a kind that every object knows", { id: 1, call: "constructor", argument: "return process" }],
  ["a kind of the signer's own inside", { id: 1, call: "toJSON", argument: vault }],
  ["one more field", { id: 1, call: "addressOf", argument: vault, seed: true }],
  ["its own configuration, again", { config: {}, known: [] }],
  ["one of 20 MB", { id: 1, call: big, argument: big }],
  ["one that is a thousand lists deep", { id: 1, call: deep(1_000), argument: vault }],
])("%s is no question: nothing is answered, and the next one is heard (SAFETY 42)", async (_, message) => {
  const before = heard.length;
  keyHolder.channel.send(message as object);
  // Messages keep their order.
  expect(await answerTo("addressOf", gas)).toMatchObject({ outcome: "done", value: world.gas });
  expect(heard.length).toBe(before + 1);
});

it.each<[string, () => [call: string, argument: unknown], code: string]>([
  ["nothing at all", () => ["sign", null], "malformed_request"],
  ["a field too many", () => ["sign", { ...alone(), amount: 1n }], "malformed_request"],
  ["20 MB for a number", () => ["sign", { ...alone(), instructionId: big }], "malformed_request"],
  ["a nonce below zero", () => ["sign", { ...alone(), nonce: -1 }], "malformed_request"],
  ["a batch of nothing", () => ["signBatch", { ...together(), instructionIds: [] }], "malformed_request"],
  [
    "a batch of a million",
    () => ["signBatch", { ...together(), instructionIds: Array.from({ length: 1_000_000 }, String) }],
    "malformed_request",
  ],
  [
    "a batch that pays one twice",
    () => ["signBatch", { ...together(), instructionIds: [committed[0], committed[0]] }],
    "malformed_request",
  ],
  [
    "what nobody has committed",
    () => ["sign", { ...alone(), instructionId: "999999" }],
    "instruction_unknown",
  ],
  [
    "what is committed, from another wallet",
    () => ["sign", { ...alone(), wallet: deposit }],
    "source_mismatch",
  ],
  [
    "what is committed, in a batch of another wallet",
    () => ["signBatch", { ...together(), wallet: deposit }],
    "source_mismatch",
  ],
  [
    "what is committed, by a batch that the vault itself sends",
    () => ["signBatch", { ...together(), gasWallet: vault }],
    "purpose_not_allowed",
  ],
  [
    "what is committed, in a batch for an executor of somebody's own",
    () => ["signBatch", { ...together(), executor: world.vault }],
    "other_executor",
  ],
])(
  "a signature on %s is refused by its code, and the next question is heard (SAFETY 42)",
  async (_, question, code) => {
    expect(await answerTo(...question())).toMatchObject({ outcome: "refused", code });
    expect(await answerTo("addressOf", vault)).toMatchObject({ outcome: "done", value: world.vault });
  },
);

it("what went out in one batch is signed in no other, and not alone (SAFETY 42)", async () => {
  expect(await answerTo("signBatch", together())).toMatchObject({ outcome: "done" });
  const others: [string, object][] = [
    ["signBatch", { ...together(), instructionIds: committed.toReversed() }],
    ["signBatch", { ...together(), instructionIds: committed.slice(0, 1) }],
    ["signBatch", { ...together(), nonce: 1 }],
    ["sign", alone()],
  ];
  const refused = [];
  for (const [call, argument] of others) refused.push(await answerTo(call, argument));
  expect(refused).toMatchObject([
    { outcome: "refused", code: "instruction_changed" },
    { outcome: "refused", code: "instruction_changed" },
    { outcome: "refused", code: "nonce_changed" },
    { outcome: "refused", code: "nonce_changed" },
  ]);
  expect(await answerTo("signBatch", together())).toMatchObject({ outcome: "done" });
});

const alone = (): object => ({ instructionId: committed[0], wallet: vault, ...terms });
const together = (): object => ({
  ...{ instructionIds: committed, wallet: vault, gasWallet: gas, authorisationNonce: null },
  executor: executorOf(world.gas),
  ...terms,
});
