/** The message that a person signs: made, remembered whole, and used up by its one answer. */
import { randomBytes } from "node:crypto";
import { SiweMessage } from "siwe";
import { getAddress } from "viem/utils";
import { accept, type Result, reject } from "../contract/problems.ts";
import { consumeChallenge, countOpenChallenges, insertChallenge, trimChallenges } from "../db/challenges.ts";
import type { Context } from "./context.ts";
import { hashOf, newCookieSecret } from "./cookies.ts";

export const challengeLifetimeMs = 5 * 60 * 1_000;
const maxOpenPerBrowser = 10;
/** Answered and unanswered ones are kept a day for whoever looks into a sign-in. */
const keptMs = 24 * 60 * 60 * 1_000;

/** Whom a wallet is to be linked to. */
export interface LinkTo {
  playerId: string;
  handle: string;
}

const harmless = "It cannot move money and costs no gas.";
/** What is signed must say what it does: a message that links would hand the wallet's name to another account. */
const statementOf = (linkTo: LinkTo | null): string =>
  linkTo === null
    ? `You sign one message to prove the address is yours. ${harmless}`
    : `You link this wallet to the account @${linkTo.handle}: what is paid in from it will be that account's. ${harmless}`;

/** What every message of ours says beside the statement, the address and the nonce. */
const expectedFields = ({ settings }: Context) => ({
  domain: new URL(settings.publicOrigin).host,
  uri: settings.publicOrigin,
  version: "1",
  chainId: settings.chainId,
});

/**
 * Makes a message for an address (lower case) and binds it to the browser that asks, by the secret in its cookie, and to
 * what it is for: signing in, or linking the wallet to somebody.
 * @returns the message and the secret to keep there, or `too_many_requests` while ten wait for this browser's answer.
 */
export async function createChallenge(
  context: Context,
  {
    address,
    browserSecret,
    linkTo,
  }: { address: string; browserSecret: string | null; linkTo: LinkTo | null },
): Promise<Result<{ message: string; expiresAt: string; browserSecret: string }>> {
  const now = context.clock();
  const browser = browserSecret ?? newCookieSecret();
  const browserHash = hashOf(browser);
  const open = await countOpenChallenges(context.pool, { browserHash, now: new Date(now) });
  if (open >= maxOpenPerBrowser) {
    return reject("too_many_requests", {
      message: "Answer one of the messages that wait in your wallet, or come back in five minutes.",
    });
  }
  const expiresAt = new Date(now + challengeLifetimeMs);
  const nonce = randomBytes(32).toString("hex");
  const message = new SiweMessage({
    ...expectedFields(context),
    statement: statementOf(linkTo),
    address: getAddress(address),
    nonce,
    issuedAt: new Date(now).toISOString(),
    expirationTime: expiresAt.toISOString(),
  }).prepareMessage();
  await insertChallenge(context.pool, {
    nonce,
    address,
    message,
    browserHash,
    linkPlayerId: linkTo?.playerId ?? null,
    createdAt: new Date(now),
    expiresAt,
  });
  await trimChallenges(context.pool, new Date(now - keptMs));
  return accept({ message, expiresAt: expiresAt.toISOString(), browserSecret: browser });
}

/**
 * Uses up the challenge that a signed message answers; committed before anything else is asked or checked, so that
 * a message is tried once, whatever comes of it. Answers the address that it was issued for, null when it isn't a
 * message of ours, for this browser and purpose, in time, for the first time.
 */
export async function takeChallenge(
  context: Context,
  {
    message,
    browserSecret,
    linkPlayerId,
  }: { message: string; browserSecret: string | null; linkPlayerId: string | null },
): Promise<string | null> {
  const parsed = parseStrictly(message);
  if (parsed === null || browserSecret === null) return null;
  const expected = expectedFields(context);
  const saysWhatOursSay =
    parsed.scheme === undefined &&
    parsed.domain === expected.domain &&
    parsed.uri === expected.uri &&
    parsed.version === expected.version &&
    parsed.chainId === expected.chainId;
  if (!saysWhatOursSay) return null;
  const address = await consumeChallenge(context.pool, {
    nonce: parsed.nonce,
    message,
    browserHash: hashOf(browserSecret),
    linkPlayerId,
    now: new Date(context.clock()),
  });
  return address === parsed.address.toLowerCase() ? address : null;
}

function parseStrictly(message: string): SiweMessage | null {
  try {
    return new SiweMessage(message);
  } catch {
    return null; // the parser tells every flaw of form by throwing
  }
}
