import { createContext, type ReactNode, useCallback, useContext, useRef, useState } from "react";

/** Says what was done by a form of the section. `left`: what goes with it, and may have the focus. */
type Tell = (said: string, left: Element | null) => void;
const Telling = createContext<Tell>(() => undefined);
export const useTell = (): Tell => useContext(Telling);

/** A section with forms that go when they have done their work: its heading takes their focus, and what was done is read out. */
export function ActSection({
  id,
  title,
  children,
}: {
  /** Of the heading. */
  id: string;
  title: string;
  children: ReactNode;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  const [said, setSaid] = useState("");
  const tell = useCallback<Tell>((text, left) => {
    setSaid(text);
    if (left?.contains(document.activeElement)) heading.current?.focus();
  }, []);
  return (
    <Telling value={tell}>
      <section className="stack" aria-labelledby={id}>
        <div className="section-head">
          <h2 id={id} ref={heading} tabIndex={-1}>
            {title}
          </h2>
          <p role="status">{said}</p>
        </div>
        {children}
      </section>
    </Telling>
  );
}
