/** What the engine and the process that holds the keys say to each other: plain data, over a private channel. */
import { z } from "zod";
import type { PolicyCode } from "./policy-codes.ts";

/** One end of the channel. Messages keep their order, and bigints stay what they are. */
export interface Channel {
  send(message: object): void;
  onMessage(heard: (message: unknown) => void): void;
  onClose(heard: () => void): void;
}

/** `pause` and `resume` are told, not asked: no answer comes. */
export const question = z.strictObject({
  id: z.int().min(0),
  call: z.enum(["addressOf", "sign", "signBatch", "pause", "resume"]),
  argument: z.unknown(),
});
export type Question = z.infer<typeof question>;

export type Outcome =
  | { outcome: "done"; value: unknown }
  | {
      outcome: "refused";
      code: PolicyCode;
      message: string;
      instructionId: string | null;
      withoutRoom: readonly string[];
    }
  | { outcome: "failed"; message: string };
export type Answer = { id: number } & Outcome;
