import type { ComponentPropsWithRef, ReactNode } from "react";
import { queryClient } from "../api/client.ts";
import { connection } from "../live/connection.ts";
import { useStale } from "../live/hooks.ts";

type Kind = "plain" | "ink" | "red" | "blue";
interface Props extends Omit<ComponentPropsWithRef<"button">, "disabled"> {
  kind?: Kind;
  big?: boolean;
  /** Under way: stays in the tab order, and a press does nothing. */
  isBusy?: boolean;
  children: ReactNode;
}

export const buttonClass = (kind: Kind = "plain", big = false): string =>
  `btn${kind === "plain" ? "" : ` btn-${kind}`}${big ? " btn-big" : ""}`;

export function Button({ kind, big, isBusy = false, children, onClick, type = "button", ...rest }: Props) {
  return (
    <button
      {...rest}
      type={type}
      className={`${buttonClass(kind, big)} ${rest.className ?? ""}`}
      aria-disabled={isBusy || rest["aria-disabled"]}
      onClick={(event) => {
        if (isBusy) event.preventDefault();
        else onClick?.(event);
      }}
    >
      {children}
    </button>
  );
}

/** A button that moves money. While the numbers may be old it only looks again. */
export function MoneyButton({ onClick, type, ...props }: Props) {
  const isStale = useStale();
  if (!isStale) return <Button {...props} {...(type && { type })} {...(onClick && { onClick })} />;
  return (
    <Button onClick={checkAgain} {...(props.big && { big: true })}>
      Check again
    </Button>
  );
}

export function checkAgain(): void {
  connection.retry();
  void queryClient.invalidateQueries();
}
