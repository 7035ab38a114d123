import { RejectionError } from "./problems.ts";

/** 8 to 128 visible characters. @throws RejectionError when the header is missing or has another form. */
export function readIdempotencyKey(header: string | string[] | undefined): string {
  if (typeof header !== "string") throw new RejectionError({ code: "idempotency_key_missing" });
  if (/^[\x21-\x7e]{8,128}$/.test(header)) return header;
  throw new RejectionError({
    code: "idempotency_key_missing",
    message: "An Idempotency-Key has 8 to 128 visible characters, without spaces.",
  });
}
