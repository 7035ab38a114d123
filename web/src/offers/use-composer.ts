/** An offer on its way from the keyboard to the engine: what is typed, what is wrong with it, sending it. */
import { useEffect, useRef, useState } from "react";
import { parseAmount } from "../../../engine/core/money.ts";
import { call } from "../api/call.ts";
import { queryClient } from "../api/client.ts";
import type { ApiProblem } from "../api/problem.ts";
import { configQuery, ownProposalsQuery } from "../api/queries.ts";
import { upserted } from "../live/patches.ts";
import {
  type Draft,
  type DraftField,
  draftOf,
  draftProblems,
  emptyDraft,
  opponentOf,
  sentenceOf,
} from "../money/draft.ts";
import { listedOf, type Token, tokenOf, useConfig, useToken } from "../shell/use-me.ts";
import { usePress } from "../shell/use-press.ts";
import { defaultOptions, type Options } from "./options.tsx";

/** Which box a field of the request is about. */
const boxOf: Record<string, DraftField> = {
  proposerStake: "own",
  takerStake: "their",
  opponent: "against",
  handle: "against",
  address: "against",
  terms: "terms",
};

/** The boxes that a refusal points at; none when it is about the offer as a whole. */
export const boxesOf = (refusal: ApiProblem | null): DraftField[] =>
  Object.keys(refusal?.fields ?? {}).flatMap((field) => boxOf[field] ?? []);

/** How long it is said that an offer is out: afterwards it stands in the list of offers. */
const sentForMs = 4_000;

export function useComposer(initial: Partial<Draft>) {
  const tokens = listedOf(useConfig());
  const token = useToken(tokens);
  const [draft, setDraft] = useState<Draft>({ ...emptyDraft, ...initial });
  const [line, setLine] = useState(() => sentenceOf({ ...emptyDraft, ...initial }));
  /** Whether the sentence was typed, so that its problems count; else it was made from the boxes. */
  const [isLineTyped, setLineTyped] = useState(false);
  const [options, setOptions] = useState<Options>(defaultOptions);
  const [isChecked, setChecked] = useState(false);
  const [isSent, setSent] = useState(false);
  useEffect(() => {
    if (!isSent) return;
    const timer = setTimeout(() => setSent(false), sentForMs);
    return () => clearTimeout(timer);
  }, [isSent]);
  const press = usePress(propose);
  const lineProblem = isLineTyped && line.trim() !== "" ? draftOf(line).problem : null;

  const typeLine = (text: string): void => {
    setLine(text);
    setLineTyped(true);
    setDraft(draftOf(text).draft);
    press.clear();
  };
  const change = (part: Partial<Draft>): void => {
    const next = { ...draft, ...part };
    setDraft(next);
    setLine(sentenceOf(next));
    setLineTyped(false);
    press.clear();
  };
  const playedBefore = useRef(token);
  useEffect(() => {
    const before = playedBefore.current;
    playedBefore.current = token;
    // One was taken out of play under the hand: its amounts aren't meant in the next one.
    if (before !== undefined && !tokens.some(({ address }) => address === before.address))
      change({ own: "", their: "" });
  });
  /** Answers whether the sentence is what comes next: because it is wrong, or because the offer is out. */
  const send = async (): Promise<boolean> => {
    setChecked(true);
    // A sentence that isn't understood whole may mean somebody else than its boxes say.
    if (lineProblem !== null) return true;
    // A fast hand is here before the list of tokens is.
    const played = token ?? (await firstToken());
    const body = played === undefined ? null : bodyOf(draft, options, played);
    const made = body === null ? null : await press.go(body);
    if (made === null) return false;
    queryClient.setQueryData(ownProposalsQuery.queryKey, (known) => upserted(known ?? [], made));
    setDraft(emptyDraft);
    setLine("");
    setChecked(false);
    setSent(true);
    return true;
  };
  // What is wrong with the sentence is said once, at the sentence.
  const problems = isChecked && lineProblem === null ? draftProblems(draft, token?.decimals ?? 6) : {};
  return {
    ...{ token, draft, line, options, isChecked, lineProblem, problems, isSent },
    ...{ refusal: press.problem, isBusy: press.isBusy, typeLine, change, setOptions, send },
  };
}

const firstToken = async (): Promise<Token | undefined> => {
  const config = await queryClient.ensureQueryData(configQuery).catch(() => null);
  return tokenOf(listedOf(config));
};

type ProposeBody = NonNullable<NonNullable<Parameters<typeof call<"propose">>[1]>["body"]>;
const propose = (body: ProposeBody, idempotencyKey: string) => call("propose", { body, idempotencyKey });

/** What is sent; null while something is missing or wrong. */
function bodyOf(draft: Draft, options: Options, { address, decimals }: Token): ProposeBody | null {
  const [own, their] = [parseAmount(draft.own, decimals), parseAmount(draft.their, decimals)];
  const opponent = opponentOf(draft.against);
  const terms = draft.terms.trim();
  if (!own.ok || !their.ok || opponent === "invalid" || terms === "") return null;
  const referee = options.referee.trim().replace(/^@/, "");
  return {
    opponent,
    token: address,
    proposerStake: own.amount.toString(),
    takerStake: their.amount.toString(),
    terms,
    lapseSeconds: options.lapseSeconds,
    expectedMinutes: options.expectedMinutes,
    ...(referee === "" ? {} : { referee }),
  };
}
