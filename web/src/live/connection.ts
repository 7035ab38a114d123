/** Whether what is on screen is fresh. A socket that is down for five seconds makes every number old. */

const oldAfterMs = 5_000;

type Listener = () => void;

class Connection {
  #down = new Set<string>();
  #isStale = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #listeners = new Set<Listener>();
  #retries = new Set<Listener>();

  readonly subscribe = (listener: Listener): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  readonly isStale = (): boolean => this.#isStale;

  /** Called by "Check again". */
  onRetry(retry: Listener): void {
    this.#retries.add(retry);
  }
  retry(): void {
    for (const retry of this.#retries) retry();
  }

  markDown(socketName: string): void {
    this.#down.add(socketName);
    this.#timer ??= setTimeout(() => this.#set(true), oldAfterMs);
  }

  /** Up again, or not needed any more. */
  markUp(socketName: string): void {
    this.#down.delete(socketName);
    if (this.#down.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#set(false);
  }

  #set(isStale: boolean): void {
    if (this.#isStale === isStale) return;
    this.#isStale = isStale;
    for (const listener of this.#listeners) listener();
  }
}

export const connection = new Connection();
