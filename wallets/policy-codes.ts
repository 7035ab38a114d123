/** Every reason for which the signer refuses, and whether the same request may pass later. */

/** `retriable`: waiting, a lower fee or the lifting of a pause can help; the others need a person. */
export const policyCodes = {
  paused: { retriable: true },
  malformed_request: { retriable: false },
  instruction_unknown: { retriable: false },
  malformed_instruction: { retriable: false },
  batch_mixed: { retriable: false },
  other_executor: { retriable: true },
  instruction_mismatch: { retriable: false },
  instruction_not_signable: { retriable: false },
  instruction_changed: { retriable: false },
  nonce_changed: { retriable: false },
  wrong_chain: { retriable: false },
  source_mismatch: { retriable: false },
  purpose_not_allowed: { retriable: false },
  token_not_allowed: { retriable: false },
  amount_not_positive: { retriable: false },
  amount_not_zero: { retriable: false },
  destination_zero: { retriable: false },
  destination_is_token: { retriable: false },
  destination_is_source: { retriable: false },
  destination_unproven: { retriable: false },
  destination_not_allowed: { retriable: false },
  fee_malformed: { retriable: false },
  over_fee_cap: { retriable: true },
  over_topup_limit: { retriable: false },
  over_transaction_limit: { retriable: false },
  over_hour_limit: { retriable: true },
  larger_than_hour_limit: { retriable: false },
  history_full: { retriable: true },
} as const satisfies Record<string, { retriable: boolean }>;

export type PolicyCode = keyof typeof policyCodes;

/** A refusal: a stable code and one plain sentence. */
export interface PolicyRejection {
  code: PolicyCode;
  message: string;
}

/** A refusal on its way out of the signer. `code` and `retriable` are for machines, the message for the operator. */
export class SigningRefusedError extends Error {
  override readonly name = "SigningRefusedError";
  readonly code: PolicyCode;
  readonly retriable: boolean;
  /** Which of several instructions is refused; null when it is the request itself. */
  readonly instructionId: string | null;
  /** All of a batch that find no room in the hour's limit; the others would be signed together without them. */
  readonly withoutRoom: readonly string[];

  constructor(
    rejection: PolicyRejection,
    instructionId: string | null = null,
    withoutRoom: readonly string[] = [],
  ) {
    super(rejection.message);
    this.withoutRoom = withoutRoom;
    this.code = rejection.code;
    this.retriable = policyCodes[rejection.code].retriable;
    this.instructionId = instructionId;
  }
}
