/**
 * Runs TypeScript as it stands: `node --import ./engine/loader.mjs FILE`. The libraries of hundreds of modules come
 * first: once tsx is there it looks at each module that is loaded, and a process would start a second later.
 */
import "ethers";
import "viem";
import "viem/accounts";
import "zod";
import "tsx";
