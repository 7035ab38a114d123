import { type RefCallback, useCallback, useRef, useState } from "react";

interface InPlace {
  isOpen: boolean;
  open: () => void;
  close: () => void;
  /** For what opens: its first control takes the focus. */
  opened: RefCallback<HTMLElement>;
  /** For the button that it stands in place of: it has the focus again when the user goes back. */
  opener: RefCallback<HTMLButtonElement>;
}

/** A form in the place of its button. Without this a keyboard would lose its place when the button goes. */
export function useInPlace(): InPlace {
  const [isOpen, setOpen] = useState(false);
  const isBack = useRef(false);
  const open = useCallback(() => setOpen(true), []);
  const close = useCallback(() => {
    isBack.current = true;
    setOpen(false);
  }, []);
  const opened = useCallback((element: HTMLElement | null) => {
    element?.querySelector<HTMLElement>("input, select, textarea, button")?.focus();
  }, []);
  const opener = useCallback((button: HTMLButtonElement | null) => {
    if (button === null || !isBack.current) return;
    isBack.current = false;
    button.focus();
  }, []);
  return { isOpen, open, close, opened, opener };
}
