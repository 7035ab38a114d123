/** The public record of a settlement: from its inputs and the version of the rules anybody can compute its outputs. */
import { type Result, reject } from "../contract/problems.ts";
import type { Receipt } from "../contract/wager.ts";
import { readSettlement, readTransfersByKey } from "../db/settlements.ts";
import type { Context } from "./context.ts";

/** @returns `not_found` while no settlement stands */
export async function readReceipt(context: Context, gameId: string): Promise<Result<Receipt>> {
  const settlement = await readSettlement(context.pool, gameId);
  if (settlement === null) return reject("not_found");
  const { inputs, outputs, decider_id, decider_handle } = settlement;
  const settled = `game:${gameId}:settlement:${settlement.settlement_number}`;
  const transfers = await readTransfersByKey(context.pool, [
    ...["red", "blue"].map((side) => `game:${gameId}:capture:${side}`),
    ...["red", "blue", "rake", "dust"].map((part) => `${settled}:${part}`),
    // A payout that couldn't be sent, back and into the pool.
    ...["red", "blue"].flatMap((side) => [`${settled}:${side}:undone`, `${settled}:${side}:pool`]),
  ]);
  const side = ({ playerId, stake }: { playerId: string; stake: bigint }) => ({
    playerId,
    stake: stake.toString(),
  });
  return {
    ok: true,
    value: {
      gameId,
      ruleVersion: settlement.rule_version,
      inputs: { ...inputs, red: side(inputs.red), blue: side(inputs.blue) },
      outputs: {
        red: outputs.red.toString(),
        blue: outputs.blue.toString(),
        rake: outputs.rake.toString(),
        dust: outputs.dust.toString(),
      },
      decidedBy: settlement.decided_by,
      decidedByPlayer:
        decider_id === null || decider_handle === null ? null : { id: decider_id, handle: decider_handle },
      reason: settlement.reason,
      settledAt: settlement.settled_at.toISOString(),
      transfers: transfers.map((row) => ({
        id: row.id,
        reason: row.reason,
        amount: row.amount.toString(),
        hash: `0x${row.hash.toString("hex")}`,
        chainTxHash: row.chain_tx_hash,
      })),
    },
  };
}
