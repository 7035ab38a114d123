/** One transaction of the gas wallet for what a wallet owes at the same time in one token. */
import { paymentsCall } from "../../wallets/executor.ts";
import { mostPaymentsTogether } from "../../wallets/instruction.ts";
import { checkCall } from "../chain/fees.ts";
import { allocateBatch } from "../db/allocating.ts";
import type { DueInstruction } from "../db/due.ts";
import { holdFence } from "../db/lease.ts";
import { isFrozen, readNextNonce } from "../db/nonces.ts";
import { transaction } from "../db/pool.ts";
import { checkEach } from "./checking.ts";
import type { Context, Leadership } from "./context.ts";
import type { Sponsor } from "./executor.ts";
import { areNoncesOurs } from "./foreign-nonces.ts";
import { countPayable } from "./gas.ts";
import { groupBy } from "./groups.ts";

/** Authorising takes 25,000, and reaching the executor's code some more; nothing of it is in the simulation. */
const authorisationGas = 40_000n;
/** A recipient who holds nothing of the token by then costs 17,100 more than one who does: writing to empty storage is dearer. */
const emptiedRecipientGas = 20_000n;

/**
 * Spends nonces of the gas wallet on what can be sent of one wallet; answers on how many instructions.
 * @param instructions of one wallet, in order
 */
export async function prepareBatches(
  context: Context,
  leadership: Leadership,
  sponsor: Sponsor,
  instructions: DueInstruction[],
): Promise<number> {
  const [first] = instructions;
  if (first === undefined) return 0;
  const source = { id: first.wallet_id, address: first.wallet_address };
  const { gasWallet } = sponsor;
  if (await isFrozen(context.pool, gasWallet.id)) return 0;
  for (const { id, address } of [source, gasWallet]) {
    const nextNonce = await readNextNonce(context.pool, id);
    if (!(await areNoncesOurs(context, { id, address, nextNonce }))) return 0;
  }
  let prepared = 0;
  for (const together of groupBy(instructions, ({ token }) => token ?? "").values()) {
    for (const wanted of divide(together)) {
      const batch = await findPayable(context, leadership, sponsor, wanted);
      if (batch === null) continue;
      const { payments, gasLimit } = batch;
      const use = { gasLimit, ether: 0n, payments: payments.length };
      if ((await countPayable(context, leadership, gasWallet, [use])) === 0) return prepared;
      prepared += await transaction(context.pool, async (tx) => {
        await holdFence(tx, { name: "chain", fence: leadership.fence });
        return allocateBatch(tx, {
          gasWalletId: gasWallet.id,
          sourceWalletId: source.id,
          executor: sponsor.executor,
          instructionIds: payments.map(({ id }) => id),
          gasLimit,
        });
      });
      context.reached("prepared");
    }
  }
  return prepared;
}

/** Whatever was in a transaction that failed goes by itself from then on: it takes nobody down with it twice. */
function divide(instructions: DueInstruction[]): DueInstruction[][] {
  const alone = instructions.filter((one) => one.has_failed).map((one) => [one]);
  const others = instructions.filter((one) => !one.has_failed);
  const parts: DueInstruction[][] = [];
  for (let at = 0; at < others.length; at += mostPaymentsTogether)
    parts.push(others.slice(at, at + mostPaymentsTogether));
  return [...parts, ...alone];
}

interface Payable {
  payments: DueInstruction[];
  gasLimit: bigint;
}

/** Simulates the whole batch; when it fails, each payment by itself, and then those that are left. Null: all wait. */
async function findPayable(
  context: Context,
  leadership: Leadership,
  sponsor: Sponsor,
  wanted: DueInstruction[],
): Promise<Payable | null> {
  const whole = await simulate(context, sponsor, wanted);
  if (whole.ok) return { payments: wanted, gasLimit: whole.gasLimit };
  const { outcome, detail } = whole;
  if (outcome === "unknown") {
    context.log.warn({ detail, wallet: wanted[0]?.wallet_address }, "a batch can't be simulated: it waits");
    return null;
  }
  const checked = await checkEach(context, leadership, wanted);
  const payments = checked.flatMap(({ instruction, check }) => (check.ok ? [instruction] : []));
  if (payments.length === wanted.length)
    context.log.warn(
      { detail, wallet: wanted[0]?.wallet_address },
      "payments pass alone and not together: they wait",
    );
  if (payments.length === 0 || payments.length === wanted.length) return null;
  const rest = await simulate(context, sponsor, payments);
  return rest.ok ? { payments, gasLimit: rest.gasLimit } : null;
}

/** As if the wallet had authorised the executor already: its authorisation may be on its way, or go along. */
async function simulate(context: Context, sponsor: Sponsor, payments: DueInstruction[]) {
  const [first] = payments;
  if (first === undefined || first.token === null) throw new Error("a batch pays a token");
  const check = await checkCall(context.chain, {
    from: sponsor.gasWallet.address,
    to: first.wallet_address,
    data: paymentsCall(first.token, payments),
    codeAtTo: sponsor.code,
  });
  if (!check.ok) return check;
  const laterGas = authorisationGas + emptiedRecipientGas * BigInt(payments.length);
  return { ...check, gasLimit: check.gasLimit + laterGas };
}
