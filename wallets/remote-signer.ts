/** The signer as the engine sees it: the keys are in another process. */
import type { WalletRef } from "./derivation.ts";
import { SigningRefusedError } from "./policy-codes.ts";
import type { BatchSignRequest, SignedTransaction, Signer, SignRequest } from "./signer.ts";
import type { Answer, Channel, Question } from "./signer-protocol.ts";

/** Nothing was signed, or nobody will ever see it: asking again is harmless. */
export class SignerAwayError extends Error {
  override readonly name = "SignerAwayError";
}

const answerWithinMs = 30_000;
const mostUnanswered = 10_000;

export class RemoteSigner implements Signer {
  readonly #channel: Channel;
  readonly #unanswered = new Map<number, (answer: Answer) => void>();
  #lastId = 0;
  #isAway = false;

  constructor(channel: Channel) {
    this.#channel = channel;
    channel.onMessage((message) => {
      // It comes from our own process over a channel that nobody else has.
      const answer = message as Answer;
      this.#unanswered.get(answer.id)?.(answer);
    });
    channel.onClose(() => {
      this.#isAway = true;
      for (const [id, take] of this.#unanswered) take({ id, outcome: "failed", message: "it has ended" });
    });
  }

  get holdsKeys(): boolean {
    return true;
  }

  async addressOf(wallet: WalletRef): Promise<string> {
    return (await this.#ask("addressOf", wallet)) as string;
  }

  async sign(request: SignRequest): Promise<SignedTransaction> {
    return (await this.#ask("sign", request)) as SignedTransaction;
  }

  async signBatch(request: BatchSignRequest): Promise<SignedTransaction> {
    return (await this.#ask("signBatch", request)) as SignedTransaction;
  }

  pause(reason: string): void {
    this.#tell("pause", reason);
  }

  resume(): void {
    this.#tell("resume", null);
  }

  #tell(call: Question["call"], argument: unknown): number {
    if (this.#isAway) throw new SignerAwayError("The process that holds the keys has ended.");
    this.#lastId += 1;
    this.#channel.send({ id: this.#lastId, call, argument } satisfies Question);
    return this.#lastId;
  }

  async #ask(call: Question["call"], argument: unknown): Promise<unknown> {
    if (this.#unanswered.size >= mostUnanswered) throw new SignerAwayError("The signer is too busy.");
    const id = this.#tell(call, argument);
    const answer = await this.#answerTo(id);
    if (answer.outcome === "done") return answer.value;
    const { message } = answer;
    if (answer.outcome === "failed") throw new SignerAwayError(`The signer didn't sign: ${message}.`);
    throw new SigningRefusedError({ code: answer.code, message }, answer.instructionId, answer.withoutRoom);
  }

  #answerTo(id: number): Promise<Answer> {
    return new Promise((resolve) => {
      const timer = setTimeout(
        () => take({ id, outcome: "failed", message: "no answer came" }),
        answerWithinMs,
      );
      const take = (answer: Answer): void => {
        clearTimeout(timer);
        this.#unanswered.delete(id);
        resolve(answer);
      };
      this.#unanswered.set(id, take);
    });
  }
}
