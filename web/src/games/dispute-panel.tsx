import { useState } from "react";
import type { Game } from "../../../engine/contract/wager.ts";
import { call } from "../api/call.ts";
import { queryClient } from "../api/client.ts";
import { gameQuery } from "../api/queries.ts";
import type { Evidence } from "../api/shapes.ts";
import { usePress } from "../shell/use-press.ts";
import { Moment } from "../time/clock.tsx";
import { Button } from "../ui/button.tsx";
import { TextArea, TextField } from "../ui/field.tsx";
import { ProblemBox } from "../ui/problem-note.tsx";

export function EvidenceList({ evidence }: { evidence: readonly Evidence[] }) {
  if (evidence.length === 0) return null;
  return (
    <ul className="stack" aria-label="Evidence">
      {evidence.map(({ id, player, text, url, createdAt }) => (
        <li key={id} style={{ borderLeft: "6px solid", paddingLeft: "0.75rem" }}>
          <p>
            <span className="call">{player.handle}</span> <Moment at={createdAt} />
          </p>
          <p style={{ whiteSpace: "pre-wrap" }}>{text}</p>
          {url?.startsWith("https://") ? (
            <a className="link link-row" href={url} target="_blank" rel="noreferrer nofollow ugc">
              {url}
            </a>
          ) : null}
        </li>
      ))}
    </ul>
  );
}

/** Words and a link, from one of the two. */
export function EvidenceForm({ game }: { game: Game }) {
  const [text, setText] = useState("");
  const [url, setUrl] = useState("");
  const press = usePress((body: { text: string; url?: string }, idempotencyKey) =>
    call("addEvidence", { params: { id: game.id }, body, idempotencyKey }),
  );
  const add = async (): Promise<void> => {
    const next = await press.go({ text: text.trim(), ...(url.trim() === "" ? {} : { url: url.trim() }) });
    if (next === null) return;
    queryClient.setQueryData(gameQuery(game.id).queryKey, next);
    setText("");
    setUrl("");
  };
  const fields = press.problem?.fields ?? {};
  return (
    <form
      className="stack"
      aria-label="Add evidence"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void add();
      }}
    >
      <TextArea label="What happened" maxLength={2000} value={text} error={fields.text} onText={setText} />
      <TextField
        label="Link to a clip or picture"
        placeholder="https://"
        inputMode="url"
        value={url}
        error={fields.url}
        onText={setUrl}
      />
      {press.problem !== null && Object.keys(fields).length === 0 ? (
        <ProblemBox problem={press.problem} />
      ) : null}
      <p>
        <Button type="submit" isBusy={press.isBusy}>
          Add evidence
        </Button>
      </p>
    </form>
  );
}
