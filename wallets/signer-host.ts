/** The keys' side of the channel: answers what may be asked, and says nothing else. */
import { z } from "zod";
import { SigningRefusedError } from "./policy-codes.ts";
import type { Signer } from "./signer.ts";
import { type Channel, type Outcome, type Question, question } from "./signer-protocol.ts";

/** The signer checks every argument itself: whoever asks isn't trusted. */
export function hostSigner(signer: Signer, channel: Channel): void {
  channel.onMessage((message) => {
    const asked = question.safeParse(message);
    if (!asked.success) return;
    const { id, call, argument } = asked.data;
    if (call === "pause") return signer.pause(z.string().catch("paused").parse(argument));
    if (call === "resume") return signer.resume();
    answer(signer, call, argument).then(
      (outcome) => channel.send({ id, ...outcome }),
      () => undefined,
    );
  });
}

async function answer(
  signer: Signer,
  call: Exclude<Question["call"], "pause" | "resume">,
  argument: unknown,
): Promise<Outcome> {
  try {
    return { outcome: "done", value: await signer[call](argument as never) };
  } catch (error) {
    if (error instanceof SigningRefusedError) {
      const { code, message, instructionId, withoutRoom } = error;
      return { outcome: "refused", code, message, instructionId, withoutRoom };
    }
    // Whatever went wrong in there stays in there, but for its one sentence.
    return { outcome: "failed", message: error instanceof Error ? error.message : "unknown" };
  }
}
