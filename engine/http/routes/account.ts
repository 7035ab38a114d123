/** Sign-in, sign-out, and the player's own page. */
import { accept } from "../../contract/problems.ts";
import { challengeLifetimeMs, createChallenge, type LinkTo } from "../../services/challenges.ts";
import type { Context } from "../../services/context.ts";
import { cookieRules, readSecret } from "../../services/cookies.ts";
import { rotateOverlay } from "../../services/overlays.ts";
import { changeMe, readMe } from "../../services/players.ts";
import { endSessionOf, sessionLifetimeMs } from "../../services/sessions.ts";
import { linkWallet, signIn } from "../../services/sign-in.ts";
import type { Call, HandlersOf } from "../call.ts";
import { setCookie } from "../cookies.ts";

type Names =
  | "createChallenge"
  | "createLinkChallenge"
  | "verifyChallenge"
  | "logout"
  | "readMe"
  | "changeMe"
  | "linkWallet"
  | "rotateOverlay";

export function accountHandlers(context: Context): HandlersOf<Names> {
  const { settings, pool } = context;
  const browserName = cookieRules(settings, "browser").name;
  const challenge = async (
    { body, cookieHeader, reply }: Pick<Call<"createChallenge">, "body" | "cookieHeader" | "reply">,
    linkTo: LinkTo | null,
  ) => {
    const browserSecret = readSecret(cookieHeader, browserName);
    const made = await createChallenge(context, { address: body.address, browserSecret, linkTo });
    if (!made.ok) return made;
    const { browserSecret: secret, ...value } = made.value;
    setCookie(reply, settings, { kind: "browser", secret, maxAgeMs: challengeLifetimeMs });
    return accept(value);
  };
  return {
    createChallenge: (call) => challenge(call, null),
    createLinkChallenge: (call) => challenge(call, call.session),
    verifyChallenge: async ({ body, cookieHeader, reply }) => {
      const browserSecret = readSecret(cookieHeader, browserName);
      const signedIn = await signIn(context, { ...body, browserSecret, cookieHeader });
      if (!signedIn.ok) return signedIn;
      const { me, sessionSecret } = signedIn.value;
      setCookie(reply, settings, { kind: "session", secret: sessionSecret, maxAgeMs: sessionLifetimeMs });
      return accept(me);
    },
    logout: async ({ cookieHeader, reply }) => {
      await endSessionOf(context, pool, cookieHeader);
      setCookie(reply, settings, { kind: "session", secret: "", maxAgeMs: 0 });
      return accept({ ok: true });
    },
    readMe: async ({ session }) => accept(await readMe(context, pool, session.playerId)),
    changeMe: ({ session, body }) => changeMe(context, session.playerId, body),
    linkWallet: ({ session, body, cookieHeader }) =>
      linkWallet(context, {
        ...body,
        browserSecret: readSecret(cookieHeader, browserName),
        playerId: session.playerId,
      }),
    rotateOverlay: ({ session }) => rotateOverlay(context, session),
  };
}
