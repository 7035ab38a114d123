import { type DestinationStream, type Logger, pino } from "pino";

/** Secrets never reach a log line: neither by these names nor in an address's query or password. */
const secretPaths = [
  "cookie",
  "authorization",
  "signature",
  "passphrase",
  "password",
  "raw",
  "overlayToken",
  "sessionSecret",
].flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

export function createLog({
  level,
  destination,
}: {
  level: string;
  destination?: DestinationStream;
}): Logger {
  const options = {
    level,
    base: null,
    redact: { paths: [...secretPaths, "req.headers"], censor: "[hidden]" },
    serializers: { error: serializeError, err: serializeError },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return stripUrls(String(error));
  const { name, message, stack, cause } = error;
  return {
    name,
    message: stripUrls(message),
    code: "code" in error ? error.code : undefined,
    stack: stack === undefined ? undefined : stripUrls(stack),
    cause: cause === undefined ? undefined : serializeError(cause),
  };
}

/** Keeps scheme and host of an address, and drops its user, path and query: providers put their keys there. */
export const stripUrls = (text: string): string =>
  text.replace(/\b(https?|wss?|postgres(?:ql)?):\/\/(?:[^\s/@]+@)?([^\s/?#"')]+)[^\s"')]*/g, "$1://$2/…");
