import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";

/** Whom Postgres runs as: `ids` when that isn't us, and the command line that starts a program as such. */
export type PostgresUser = {
  ids?: { uid: number; gid: number };
  command(program: string, flags: string[]): [string, ...string[]];
};

/**
 * Postgres refuses to run as root, so root lends it to whoever owns the cluster already, else to the system's `postgres`,
 * else to `nobody`, who is on every system: no user is added to the machine.
 */
export function choosePostgresUser(dataDir: string): PostgresUser {
  const command: PostgresUser["command"] = (program, flags) => [program, ...flags];
  if (process.getuid?.() !== 0) return { command };
  const ids = ownerOf(join(dataDir, "cluster")) ?? idsOf("postgres") ?? idsOf("nobody");
  if (!ids)
    throw new Error(
      "Postgres can't run as root, and there is no user nobody: start this as an ordinary user",
    );
  return { ids, command };
}

function ownerOf(path: string): { uid: number; gid: number } | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat && stat.uid !== 0 ? { uid: stat.uid, gid: stat.gid } : undefined;
}

function idsOf(name: string): { uid: number; gid: number } | undefined {
  try {
    const read = (flag: string) =>
      Number(execFileSync("id", [flag, name], { encoding: "utf8", stdio: "pipe" }));
    return { uid: read("-u"), gid: read("-g") };
  } catch {
    return undefined;
  }
}
