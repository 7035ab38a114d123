/** What the gas wallet is to do for others to be paid: bring ether to a wallet, deploy the executor. */
import type { Tx } from "./pool.ts";

/** A wallet gets ether, by as many top-ups as given, when no other one of it is on its way. */
export async function insertTopups(
  tx: Tx,
  { walletAddress, wei }: { walletAddress: string; wei: bigint[] },
): Promise<void> {
  await tx.query("SELECT pg_advisory_xact_lock(hashtext('on_the_rail.topup'))");
  await tx.query(
    `INSERT INTO instruction (kind, source_wallet_id, token, destination, amount, cause)
     SELECT 'topup', wallet.id, NULL, $1::text, part, 'topup:' || $1::text FROM wallet CROSS JOIN unnest($2::numeric[]) AS part
     WHERE purpose = 'gas' AND NOT EXISTS (
       SELECT FROM instruction WHERE kind = 'topup' AND destination = $1::text AND state IN ('queued', 'sending'))`,
    [walletAddress, wei.map(String)],
  );
}

/** The gas wallet deploys the executor, unless it did or tried to before. */
export async function insertDeployment(tx: Tx, executor: string): Promise<void> {
  await tx.query("SELECT pg_advisory_xact_lock(hashtext('on_the_rail.deploy'))");
  await tx.query(
    `INSERT INTO instruction (kind, source_wallet_id, token, destination, amount, cause)
     SELECT 'deploy', wallet.id, NULL, $1::text, 0, 'deploy:' || $1::text FROM wallet
     WHERE purpose = 'gas' AND NOT EXISTS (SELECT FROM instruction WHERE kind = 'deploy' AND destination = $1::text)`,
    [executor],
  );
}
