/** Why an expected failure happened. The message is written for the person who asked, the code is stable for programs. */
export interface Rejection<Code extends string> {
  code: Code;
  message: string;
  /** The field of the command that is at fault, when it is one. */
  field?: string;
}

/** The failing half of every result in the core: expected failures are values, only broken promises throw. */
export interface Refused<Code extends string> {
  ok: false;
  rejection: Rejection<Code>;
}

export function refused<const Code extends string>(
  code: Code,
  message: string,
  field?: string,
): Refused<Code> {
  return { ok: false, rejection: field === undefined ? { code, message } : { code, message, field } };
}

/** Throws when the caller broke a promise that no user input can break. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`Broken promise: ${message}`);
}
