/**
 * `npm run fault-proxy`: a node that does something wrong, by hand. Ends with 0 when it is told to stop, 1 when it can't
 * start, 2 when the command was written wrongly.
 */
import { parseArgs } from "node:util";
import { callNode } from "../../scripts/local/rpc.ts";
import { faultModes, isModeName, type ModeName, toldAs } from "./fault-modes.ts";
import { type Fault, startRpcProxy } from "./rpc-proxy.ts";
import {
  isProfileName,
  type ProfileName,
  profileNames,
  profileSays,
  ratesOf,
  seededFaults,
} from "./seeded-faults.ts";

class UsageError extends Error {}
class StartError extends Error {}

const columns = (rows: readonly (readonly [string, string])[]): string =>
  rows.map(([name, says]) => `  ${name.padEnd(24)}${says}`).join("\n");
const modeRows = Object.entries(faultModes).map(
  ([name, { says, number }]) => [number === undefined ? name : `${name}=${number.otherwise}`, says] as const,
);
const help = `npm run fault-proxy -- --target URL [--port PORT] [--seed SEED] [--profile NAME] [--mode NAME]…

A JSON-RPC proxy on 127.0.0.1 in front of a node, which does to the answers what it is told to. Two of them, in
BASE_RPC_URLS, make two providers. WebSockets are passed on as they are.

  --target URL            the node, such as http://127.0.0.1:8545
  --port PORT             where to listen; a free one is picked without it
  --seed SEED             any word: the same seed does the same to the same calls (default 1)
  --profile NAME          faults now and then, drawn by the seed
  --mode NAME[=NUMBER]    one fault at every call it fits; may be given several times
  --help                  this

Profiles
${columns(profileNames.map((name) => [name, profileSays[name]] as const))}

Modes, with the number that is meant without another
${columns(modeRows)}`;

interface Order {
  target: string;
  port: number;
  seed: string;
  profile: ProfileName;
  modes: string[];
}

/** @returns null when only help is wanted; @throws UsageError */
function readOrder(args: string[]): Order | null {
  const { values, tokens } = parse(args);
  if (values.help === true || args.length === 0) return null;
  const once = tokens.flatMap((token) =>
    token.kind === "option" && token.name !== "mode" ? [token.name] : [],
  );
  const twice = once.find((name, index) => once.indexOf(name) !== index);
  if (twice !== undefined) throw new UsageError(`--${twice} is given twice: which one counts?`);
  const { target, port = "0", seed = "1", profile = "steady", mode: modes = [] } = values;
  if (target === undefined) throw new UsageError("Name the node: --target http://127.0.0.1:8545.");
  if (!URL.canParse(target) || new URL(target).protocol !== "http:")
    throw new UsageError(`--target is the http:// address of a node, not ${JSON.stringify(target)}.`);
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535)
    throw new UsageError(`--port is a number from 0 to 65535, not ${JSON.stringify(port)}.`);
  if (seed.trim() === "") throw new UsageError("--seed is any word, but not an empty one.");
  if (!isProfileName(profile))
    throw new UsageError(
      `There is no profile ${JSON.stringify(profile)}. There are ${profileNames.join(", ")}.`,
    );
  return { target, port: Number(port), seed, profile, modes };
}

function parse(args: string[]) {
  const text = { type: "string" } as const;
  try {
    return parseArgs({
      args,
      tokens: true,
      options: {
        ...{ target: text, port: text, seed: text, profile: text },
        mode: { type: "string", multiple: true },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // The rest of Node's message is about dashes and doesn't help here.
    const [what = ""] = error.message.split(/\.(?:\s|$)|\n/, 1);
    throw new UsageError(`${what}. See: npm run fault-proxy -- --help`);
  }
}

/** @throws UsageError */
function readMode(text: string): { name: ModeName; fault: Fault } {
  const [name = "", number, ...rest] = text.split("=");
  if (!isModeName(name))
    throw new UsageError(
      `There is no mode ${JSON.stringify(name)}. There are ${Object.keys(faultModes).join(", ")}.`,
    );
  const mode = faultModes[name];
  if (number === undefined) return { name, fault: mode.make(mode.number?.otherwise ?? 0n) };
  if (mode.number === undefined) throw new UsageError(`${name} takes no number.`);
  if (rest.length > 0 || !/^\d{1,12}$/.test(number))
    throw new UsageError(
      `${name}=${[number, ...rest].join("=")}: a number of ${mode.number.means} is wanted, digits only.`,
    );
  return { name, fault: mode.make(BigInt(number)) };
}

async function main(): Promise<void> {
  const order = readOrder(process.argv.slice(2));
  if (order === null) return console.log(help);
  const { target, port, seed, profile } = order;
  const counts = new Map<ModeName, number>();
  const onFault = (name: ModeName, method: string): void => {
    counts.set(name, (counts.get(name) ?? 0) + 1);
    console.log(`${new Date().toISOString().slice(11, 23)}  ${method}: ${name}`);
  };
  const modes = order.modes.map(readMode).map(({ name, fault }) => toldAs(name, fault, onFault));
  const drawn = seededFaults(seed, ratesOf(profile, seed), onFault);
  const chainId = await callNode(target, "eth_chainId", [], 5_000).catch(() => {
    throw new StartError(`No node answers at ${target}.`);
  });
  const proxy = await startRpcProxy(target, { port }).catch((error: unknown) => {
    throw new StartError(`Port ${port} can't be listened on: ${(error as Error).message}`);
  });
  proxy.setFaults(...modes, ...drawn);
  console.log(
    `${proxy.rpcUrl} leads to ${target}, chain ${Number(chainId)}: profile ${profile}, seed ${seed}.`,
  );
  console.log("Ctrl-C ends it.");
  await new Promise((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
  await proxy.stop();
  const all = [...counts].map(([name, count]) => `${name} ${count}`);
  console.log(all.length === 0 ? "No fault was made." : `Faults made: ${all.join(", ")}.`);
}

main().catch((error: unknown) => {
  process.exitCode = error instanceof UsageError ? 2 : 1;
  console.error(error instanceof UsageError || error instanceof StartError ? error.message : error);
});
