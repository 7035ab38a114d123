/** For processes that need no keys, such as the operator's commands: whatever asks for one is told so. */
import type { Signer } from "./signer.ts";

export const keylessSigner: Signer = {
  holdsKeys: false,
  addressOf: () =>
    Promise.reject(new Error("this process holds no keys: the running engine derives addresses")),
  sign: () => Promise.reject(new Error("this process holds no keys: the running engine signs")),
  signBatch: () => Promise.reject(new Error("this process holds no keys: the running engine signs")),
  pause: () => undefined,
  resume: () => undefined,
};
