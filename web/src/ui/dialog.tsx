import { Dialog as Radix } from "radix-ui";
import { type ReactNode, useState } from "react";

/** A dialog on the page's stock. Part of the lazily loaded chunks only. */
export function Dialog({
  title,
  description,
  onClose,
  children,
}: {
  title: string;
  description?: ReactNode;
  onClose: () => void;
  children: ReactNode;
}) {
  const [opener] = useState(() => document.activeElement);
  return (
    <Radix.Root open onOpenChange={(isOpen) => (isOpen ? undefined : onClose())}>
      <Radix.Portal>
        <Radix.Overlay className="dialog-ground">
          <Radix.Content
            className="dialog stack"
            onCloseAutoFocus={(event) => {
              event.preventDefault();
              focusAgain(opener);
            }}
            {...(description ? {} : { "aria-describedby": undefined })}
          >
            <div className="row" style={{ justifyContent: "space-between", flexWrap: "nowrap" }}>
              <Radix.Title className="call" style={{ fontSize: "2rem", fontWeight: 900 }}>
                {title}
              </Radix.Title>
              <Radix.Close className="btn">Close</Radix.Close>
            </div>
            {description ? <Radix.Description>{description}</Radix.Description> : null}
            {children}
          </Radix.Content>
        </Radix.Overlay>
      </Radix.Portal>
    </Radix.Root>
  );
}

/** Back to where the keyboard was; to the page when that is gone, as the sign-in button is after signing in. */
function focusAgain(opener: Element | null): void {
  const target = opener?.isConnected === true ? opener : document.getElementById("main");
  if (target instanceof HTMLElement) target.focus();
}
