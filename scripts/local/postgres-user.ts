import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { findOnPath } from "./binaries.ts";
import { findPostgresBinaries } from "./postgres-binaries.ts";
import { clusterOf } from "./postgres-cluster.ts";

type Ids = { uid: number; gid: number };

/** Whom Postgres runs as: `ids` when that isn't us. */
export type PostgresUser = {
  ids?: Ids;
  /** How to start a program as that user: what to run, and what to tell the system's spawn. */
  lend(program: string, flags: string[]): { program: string; flags: string[]; spawnAs: Partial<Ids> };
};

/**
 * Postgres refuses to run as root, so root lends it to whoever owns the cluster already, else to the system's `postgres`,
 * else to `nobody`, who is on every system: no user is added to the machine.
 *
 * Where that user may not walk to our files (a home folder of root), it is lent the right to search folders as well.
 *
 * @throws when that can't be done either, saying what to do.
 */
export function choosePostgresUser(dataDir: string): PostgresUser {
  if (process.getuid?.() !== 0) return { lend: (program, flags) => ({ program, flags, spawnAs: {} }) };
  const ids = ownerOf(clusterOf(dataDir)) ?? idsOf("postgres") ?? idsOf("nobody");
  if (!ids)
    throw new Error(
      "Postgres can't run as root, and there is no user nobody: start this as an ordinary user",
    );
  const closed = [dataDir, findPostgresBinaries().postgres].find((path) => !isOpenToAll(path));
  if (closed === undefined) return { ids, lend: (program, flags) => ({ program, flags, spawnAs: ids }) };

  const setpriv = findOnPath("setpriv");
  if (!setpriv) {
    throw new Error(
      `Postgres can't run as root, and other users can't reach ${closed}: start this as an ordinary user`,
    );
  }
  const rights = [
    "--inh-caps=-all,+dac_read_search",
    "--ambient-caps=+dac_read_search",
    "--bounding-set=-all,+dac_read_search",
  ];
  const as = [`--reuid=${ids.uid}`, `--regid=${ids.gid}`, "--clear-groups", ...rights];
  return {
    ids,
    lend: (program, flags) => ({ program: setpriv, flags: [...as, program, ...flags], spawnAs: {} }),
  };
}

/** Whether everybody may walk through all folders above a path. */
function isOpenToAll(path: string): boolean {
  for (let folder = dirname(resolve(path)); ; folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

function ownerOf(path: string): Ids | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat && stat.uid !== 0 ? { uid: stat.uid, gid: stat.gid } : undefined;
}

function idsOf(name: string): Ids | undefined {
  try {
    const read = (flag: string) =>
      Number(execFileSync("id", [flag, name], { encoding: "utf8", stdio: "pipe" }));
    return { uid: read("-u"), gid: read("-g") };
  } catch {
    return undefined;
  }
}
