/** One class per cause. `retriable` says whether the same question may get another answer later. */
abstract class ChainError extends Error {
  abstract readonly code: string;
  abstract readonly retriable: boolean;
}

/** No provider gave an answer that can be used. Nothing follows from it: not "none", not "not sent". */
export class RpcUnavailableError extends ChainError {
  override readonly name = "RpcUnavailableError";
  readonly code = "rpc_unavailable";
  readonly retriable = true;
}

/** The node understood the question and said no. `rpcCode` and `data` are its own. */
export class RpcRefusedError extends ChainError {
  override readonly name = "RpcRefusedError";
  readonly code = "rpc_refused";
  readonly retriable = false;
  constructor(
    message: string,
    readonly rpcCode: number,
    readonly data: unknown,
  ) {
    super(message);
  }
}

/** A provider answers for another chain. */
export class WrongChainError extends ChainError {
  override readonly name = "WrongChainError";
  readonly code = "wrong_chain";
  readonly retriable = false;
}

/** An answer that contradicts itself, what was asked, or what the same node said before. */
export class InconsistentAnswerError extends ChainError {
  override readonly name = "InconsistentAnswerError";
  readonly code = "inconsistent_answer";
  readonly retriable = true;
}

/** The chain took back a block that it had called final: outflows stop and a person is called. */
export class DeepReorgError extends ChainError {
  override readonly name = "DeepReorgError";
  readonly code = "deep_reorg";
  readonly retriable = false;
}
