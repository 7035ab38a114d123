import { useState } from "react";
import type { Me } from "../../../engine/contract/account.ts";
import { call } from "../api/call.ts";
import { defaultOverlayOptions, type OverlayOptions } from "../overlay/options.ts";
import { useConfig } from "../shell/use-me.ts";
import { usePress } from "../shell/use-press.ts";
import { Button } from "../ui/button.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { Choices, SelectField } from "../ui/field.tsx";
import { ProblemBox } from "../ui/problem-note.tsx";
import { OverlayPreview } from "./overlay-preview.tsx";

/** The link for OBS, how it is drawn, and what it will look like. */
export function OverlaySetup({ me }: { me: Me }) {
  const tokens = useConfig()?.tokens ?? [];
  const [options, setOptions] = useState<OverlayOptions>(defaultOverlayOptions);
  const [path, setPath] = useState<string | null>(null);
  const press = usePress((_: "replace", _key) => call("rotateOverlay"));
  const replace = async (): Promise<void> => {
    const link = await press.go("replace");
    if (link !== null) setPath(link.path);
  };
  const change = (part: Partial<OverlayOptions>): void => setOptions({ ...options, ...part });
  const url = path === null ? null : `${location.origin}${path}&${searchOf(options)}`;
  const token = tokens.find(({ symbol }) => symbol === "USDC") ?? tokens[0];
  return (
    <section className="stack" aria-labelledby="overlay-setup">
      <div className="section-head">
        <h2 id="overlay-setup">Overlay for your stream</h2>
      </div>
      <p className="prose">
        Add it to OBS as a browser source and set 1920×1080 (OBS starts at 800×600). It follows whatever you
        are in, and draws nothing while nothing happens. The link can only show; treat it as a key all the
        same.
      </p>
      <div className="split">
        <div className="stack">
          <Choices
            label="Side"
            value={options.side}
            onChoose={(side) => change({ side })}
            options={[
              { value: "bottom", label: "Bottom" },
              { value: "top", label: "Top" },
              { value: "left", label: "Left" },
              { value: "right", label: "Right" },
            ]}
          />
          <Choices
            label="Money"
            value={options.showsMoney ? "on" : "off"}
            onChoose={(money) => change({ showsMoney: money === "on" })}
            options={[
              { value: "on", label: "Amounts" },
              { value: "off", label: "Percentages only" },
            ]}
          />
          <div className="offer-boxes">
            <SelectField
              label="Size"
              value={String(options.scale)}
              onChoose={(scale) => change({ scale: Number(scale) })}
              options={["0.75", "1", "1.25", "1.5"].map((value) => ({ value, label: `${value}×` }))}
            />
            <SelectField
              label="Edge"
              value={String(options.safe)}
              onChoose={(safe) => change({ safe: Number(safe) })}
              options={["0", "3", "5", "8"].map((value) => ({ value, label: `${value} %` }))}
            />
            <SelectField
              label="Delay"
              value={String(options.delaySeconds)}
              onChoose={(seconds) => change({ delaySeconds: Number(seconds) })}
              options={["0", "2", "5", "8", "15", "30"].map((value) => ({ value, label: `${value} s` }))}
            />
          </div>
          {url === null ? null : (
            <div className="box box-pad stack">
              <p className="label">Your overlay link, shown this once</p>
              <p className="sum" data-testid="overlay-link">
                {url}
              </p>
              <p>
                <CopyButton text={url} label="Copy overlay link" />
              </p>
            </div>
          )}
          {press.problem === null ? null : <ProblemBox problem={press.problem} />}
          <div className="row">
            <Button kind="ink" isBusy={press.isBusy} onClick={() => void replace()}>
              {path === null ? "Make overlay link" : "Replace link"}
            </Button>
            <span className="smoke">A new link: the old one dies now.</span>
          </div>
        </div>
        {token === undefined ? null : <OverlayPreview handle={me.handle} options={options} token={token} />}
      </div>
    </section>
  );
}

function searchOf({ side, safe, scale, showsMoney, delaySeconds }: OverlayOptions): string {
  return new URLSearchParams({
    side,
    safe: String(safe),
    scale: String(scale),
    money: showsMoney ? "on" : "off",
    delay: String(delaySeconds),
  }).toString();
}
