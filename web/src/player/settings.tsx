import { useState } from "react";
import type { Me } from "../../../engine/contract/account.ts";
import { parseHandle } from "../../../engine/core/handle.ts";
import { call } from "../api/call.ts";
import { queryClient } from "../api/client.ts";
import { meQuery } from "../api/queries.ts";
import { usePress } from "../shell/use-press.ts";
import { Button } from "../ui/button.tsx";
import { Choices, TextField } from "../ui/field.tsx";
import { ProblemBox } from "../ui/problem-note.tsx";

type Change = NonNullable<NonNullable<Parameters<typeof call<"changeMe">>[1]>["body"]>;

/** Changes the player and keeps what the engine answers. */
export function useChangeMe() {
  const press = usePress((body: Change) => call("changeMe", { body }));
  const change = async (body: Change): Promise<boolean> => {
    const me = await press.go(body);
    if (me !== null) queryClient.setQueryData(meQuery.queryKey, me);
    return me !== null;
  };
  return { ...press, change };
}

export function HandleForm({ me }: { me: Me }) {
  const [handle, setHandle] = useState(me.handle);
  const [isSaved, setSaved] = useState(false);
  const [isChecked, setChecked] = useState(false);
  const { change, isBusy, problem } = useChangeMe();
  const parsed = parseHandle(handle);
  const save = async (): Promise<void> => {
    setChecked(true);
    if (parsed.ok) setSaved(await change({ handle: parsed.handle }));
  };
  return (
    <form
      className="box box-pad stack"
      aria-label="Your handle"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <TextField
        label="Handle"
        note="3 to 20 letters, digits or underscores. People call you out by it."
        value={handle}
        error={isChecked && !parsed.ok ? parsed.rejection.message : problem?.message}
        onText={(text) => {
          setHandle(text);
          setSaved(false);
        }}
      />
      <p className="row">
        <Button type="submit" kind="ink" isBusy={isBusy}>
          Save handle
        </Button>
        {isSaved ? <span className="call">Saved</span> : null}
      </p>
    </form>
  );
}

export function WinningsForm({ me }: { me: Me }) {
  const { change, problem } = useChangeMe();
  return (
    <section className="box box-pad stack" aria-label="Where winnings go">
      <Choices
        label="Where winnings go"
        value={me.winningsTo}
        onChoose={(winningsTo) => void change({ winningsTo })}
        options={[
          { value: "pool", label: "Your pool, at once" },
          { value: "wallet", label: "Your wallet, over the chain" },
        ]}
      />
      <p className="field-note">
        A stake that comes back goes to your pool. What you win goes to where this stands when the game is
        settled.
      </p>
      {problem === null ? null : <ProblemBox problem={problem} />}
    </section>
  );
}
