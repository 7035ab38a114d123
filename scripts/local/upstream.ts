import { type Anvil, startAnvil } from "./anvil.ts";
import { compileContracts, contractNamed } from "./contracts.ts";
import { callNode, toQuantity } from "./rpc.ts";
import { readSnapshot, writeSnapshot } from "./snapshots.ts";
import { multicall3Address, openworkAddress, usdcAddress } from "./tokens.ts";

/** Blocks before the fork, so that a fork has a past to ask its upstream for. */
const genesisBlocks = 5;

const standing = [
  { name: "OpenworkStandIn", address: openworkAddress },
  { name: "UsdcStandIn", address: usdcAddress },
  { name: "Multicall3", address: multicall3Address },
];

/**
 * The chain that local forks are made of: Base's id, both tokens and Multicall3 at their real addresses, no other past.
 * Nothing is mined on it afterwards. With a folder, the same chain with the same block hashes comes back each time.
 */
export async function startUpstream(options: { port: number; folder?: string }): Promise<Anvil> {
  const { port, folder } = options;
  const stateFile = folder && (await readSnapshot(folder, "upstream"));
  const flags = stateFile ? ["--load-state", stateFile] : [];
  const upstream = await startAnvil({ port, flags, detached: folder !== undefined });
  try {
    if (!stateFile) {
      await placeContracts(upstream.rpcUrl);
      await callNode(upstream.rpcUrl, "anvil_mine", [toQuantity(genesisBlocks)]);
      if (folder) await writeSnapshot(folder, "upstream", upstream.rpcUrl);
    }
  } catch (error) {
    await upstream.stop();
    throw error;
  }
  return upstream;
}

async function placeContracts(rpcUrl: string): Promise<void> {
  const contracts = await compileContracts();
  for (const { name, address } of standing) {
    await callNode(rpcUrl, "anvil_setCode", [address, contractNamed(contracts, name).runtimeCode]);
  }
}
