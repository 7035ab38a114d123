import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { Me } from "../../../engine/contract/account.ts";
import { ask } from "../shell/gates.ts";
import { useMe } from "../shell/use-me.ts";
import { Button, buttonClass } from "../ui/button.tsx";
import { Blank } from "../ui/states.tsx";
import { signOut } from "../wallet/session.ts";
import { OverlaySetup } from "./overlay-setup.tsx";
import { HandleForm, WinningsForm } from "./settings.tsx";
import { Wallets } from "./wallets.tsx";

/** The signed-in player's own page: name, where winnings go, wallets, overlay. */
export function OwnPage() {
  const me = useMe();
  if (me === undefined) return <Blank label="Your page" />;
  if (me === null) {
    return (
      <section className="box box-pad stack">
        <h1>Your page</h1>
        <p>Sign in to set your name, where winnings go, and your overlay.</p>
        <p>
          <Button kind="ink" big onClick={() => void ask("sign_in")}>
            Sign in
          </Button>
        </p>
      </section>
    );
  }
  return <Settings me={me} />;
}

function Settings({ me }: { me: Me }) {
  const [isLeaving, setLeaving] = useState(false);
  const leave = async (): Promise<void> => {
    setLeaving(true);
    await signOut().finally(() => setLeaving(false));
  };
  return (
    <div className="stack" style={{ gap: "2rem" }}>
      <header className="stack">
        <h1>{me.handle}</h1>
        <div className="row">
          <Link className={buttonClass()} to="/p/$handle" params={{ handle: me.handle }}>
            As others see you
          </Link>
          <Link className={buttonClass()} to="/live/$room" params={{ room: me.handle }}>
            Your live page
          </Link>
          <Button isBusy={isLeaving} onClick={() => void leave()}>
            Sign out
          </Button>
        </div>
      </header>
      <div className="split">
        <HandleForm me={me} />
        <WinningsForm me={me} />
      </div>
      <Wallets me={me} />
      <OverlaySetup me={me} />
    </div>
  );
}
