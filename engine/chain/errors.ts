/** One class per cause. `retriable` says whether the same question may get another answer later. */
export abstract class ChainError extends Error {
  abstract readonly code: string;
  abstract readonly retriable: boolean;
}

/** No provider gave an answer that can be used. Nothing follows from it: not "none", not "not sent". */
export class RpcUnavailableError extends ChainError {
  override readonly name = "RpcUnavailableError";
  readonly code = "rpc_unavailable";
  readonly retriable = true;
}

/** One provider gave no usable answer: silence, a closed connection, HTML, too much. */
export class ProviderFailedError extends ChainError {
  override readonly name = "ProviderFailedError";
  readonly code = "provider_failed";
  readonly retriable = true;
  /** False only when the question certainly never left: nobody listened, or there is no such host. */
  readonly mayHaveArrived: boolean;
  constructor(message: string, options: { mayHaveArrived: boolean; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.mayHaveArrived = options.mayHaveArrived;
  }
}

/** Refusals that stay the same however often one asks. Sources: JSON-RPC 2.0 §5.1, and 3 for a reverted call. */
const lastingRpcCodes = [3, -32_600, -32_601, -32_602];

/** The node understood the question and said no. `rpcCode` and `data` are its own. */
export class RpcRefusedError extends ChainError {
  override readonly name = "RpcRefusedError";
  readonly code = "rpc_refused";
  readonly rpcCode: number;
  readonly data: unknown;
  constructor(message: string, refusal: { rpcCode: number; data: unknown }) {
    super(message);
    this.rpcCode = refusal.rpcCode;
    this.data = refusal.data;
  }
  get retriable(): boolean {
    return !lastingRpcCodes.includes(this.rpcCode) && !this.isRevert;
  }
  /** The call ran and the contract threw it back: an answer of the chain itself, not trouble of the node. */
  get isRevert(): boolean {
    return (
      this.rpcCode === 3 || /^(vm exception.*|vm execution error.*)?(execution )?revert/i.test(this.message)
    );
  }
}

/** The node knows no such block: it may be behind, or the block is no longer there. */
export class NotThereError extends ChainError {
  override readonly name = "NotThereError";
  readonly code = "not_there";
  readonly retriable = true;
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
