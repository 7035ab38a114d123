/** Books that are older than the world: what isn't explained yet, and the word that lets money out again. */
import { beginRecovery, endRecovery, reportRecovery } from "../../engine/services/recovery.ts";
import { operatorOf, reasonOf } from "./acting.ts";
import { type Command, unwrap } from "./command.ts";

export const recovery: Command = {
  subject: null,
  options: [],
  prepare: () => async (context) => {
    const report = await reportRecovery(context);
    if (report === null) return console.log("No recovery stands.");
    const { cause, began_at: beganAt, from_block: fromBlock } = report.recovery;
    console.log(`In recovery since ${beganAt.toISOString()}, from block ${fromBlock} on: ${cause}`);
    for (const line of report.open) console.log(`  ${line}`);
    console.log(
      report.open.length === 0
        ? 'Everything of ours on the chain is explained and final. End it: end-recovery --reason "…"'
        : "Nothing leaves until all of this is explained.",
    );
  },
};

/** An operator's word with a reason, and what is said once it counts. */
const changing = (change: typeof beginRecovery | typeof endRecovery, said: string): Command => ({
  subject: null,
  options: ["reason", "as"],
  prepare: (options) => {
    const reason = reasonOf(options);
    return async (context) => {
      const { id: playerId, handle } = await operatorOf(context, options);
      unwrap(await change(context, { by: { playerId, handle }, reason }));
      console.log(said);
    };
  },
});

export const beginning = changing(
  beginRecovery,
  "Nothing leaves any more. Start the engine anew: it looks for what the books don't know.",
);
export const ending = changing(endRecovery, "The recovery is over: what is owed leaves again.");
