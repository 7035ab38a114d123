/** From the moment when a node has a deposit's log to the commit of its credited row, by the clock of this process. */
import pg from "pg";
import WebSocket from "ws";
import { usdcAddress } from "../local/tokens.ts";
import type { RunningEngine } from "./engine-process.ts";

export const transferTopic = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
export const recipientTopic = (address: string): string =>
  `0x${address.slice(2).toLowerCase().padStart(64, "0")}`;

const patienceMs = 30_000;

/** When something was first heard of, for things that are waited for before or after. */
export class Moments {
  readonly #at = new Map<string, number>();
  readonly #waiting = new Map<string, (atMs: number) => void>();

  note(what: string): void {
    if (this.#at.has(what)) return;
    const atMs = performance.now();
    this.#at.set(what, atMs);
    this.#waiting.get(what)?.(atMs);
  }

  of(what: string): Promise<number> {
    const atMs = this.#at.get(what);
    if (atMs !== undefined) return Promise.resolve(atMs);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), patienceMs);
      this.#waiting.set(what, (heardAtMs) => {
        clearTimeout(timer);
        resolve(heardAtMs);
      });
    });
  }
}

export interface CreditClock {
  /** The node told of the log, as soon as anybody here heard of it; by transaction hash. */
  announced: Moments;
  /** When a deposit's credited row was committed. */
  creditedAtMs(txHash: string): Promise<number>;
  close(): Promise<void>;
}

export async function startCreditClock(engine: RunningEngine, recipient: string): Promise<CreditClock> {
  const [announced, credited] = [new Moments(), new Moments()];
  const database = new pg.Client({ connectionString: engine.databaseOwnerUrl });
  await database.connect();
  // Told by the commit itself, in as few words as can be: what this takes is counted as the engine's.
  await database.query(`CREATE OR REPLACE FUNCTION bench_tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      PERFORM pg_notify('bench', NEW.chain_log_id::text); RETURN NULL; END $$`);
  await database.query(`CREATE OR REPLACE TRIGGER bench_credited AFTER INSERT OR UPDATE OF credited ON deposit
    FOR EACH ROW WHEN (NEW.credited) EXECUTE FUNCTION bench_tell()`);
  database.on("notification", ({ payload }) => credited.note(payload ?? ""));
  await database.query("LISTEN bench");

  const socket = new WebSocket(engine.wsUrl);
  await new Promise((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
  const filter = { address: usdcAddress, topics: [transferTopic, null, recipientTopic(recipient)] };
  socket.on("message", (data) => {
    const { params } = JSON.parse(String(data)) as { params?: { result?: { transactionHash?: string } } };
    if (params?.result?.transactionHash !== undefined) announced.note(params.result.transactionHash);
  });
  socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_subscribe", params: ["logs", filter] }));
  return {
    announced,
    creditedAtMs: async (txHash) => {
      const { rows } = await database.query<{ id: string }>("SELECT id FROM chain_log WHERE tx_hash = $1", [
        txHash,
      ]);
      return credited.of(rows[0]?.id ?? "no deposit");
    },
    close: async () => {
      socket.close();
      await database.end();
    },
  };
}
