/** A fault that is put into a world on purpose, so that the command can be seen to find one. Only its own test asks for it. */
import type { World } from "./world.ts";
import { tokens } from "./world.ts";

export interface Planted {
  /** The one whose world it happens in. */
  seed: number;
  /** Rough ticks of every world. */
  ticks: number;
  /** A Postgres that runs, and a migrated database in it that nobody is connected to. */
  cluster: { superuserUrl: string; templateDatabase: string };
}

/** The environment's, as JSON: children of the command inherit it. */
export const planted: Planted | null = JSON.parse(process.env.SIM_PLANTED_FAULT ?? "null");

/** Ticks in which everybody still waits for the world to come to rest. */
const ticksOfRest = 10;

/** When it is to happen: in the calm after the last reorg, so that the chain can't take it back. */
export const drawTheft = ({ seed, dice }: World, ticks: number): number | null =>
  planted?.seed === seed ? ticks + dice.int(1, ticksOfRest) : null;

/** A unit more lies in the vault, and no log tells of it. */
export async function moveUnit(world: World): Promise<void> {
  const [{ address: token }] = tokens;
  const [vault] = await world.rows<{ address: string }>("SELECT address FROM wallet WHERE purpose = 'vault'");
  const address = vault?.address ?? "";
  const held = await world.chain.balanceOf(token, address);
  await world.chain.call("anvil_dealERC20", [address, token, `0x${(held + 1n).toString(16)}`]);
  world.say("a unit more lies in the vault");
}
