/** One Postgres for many seeds: each gets a copy of a migrated database. */
import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { migrate } from "../../engine/db/migrate.ts";
import { startLocalPostgres } from "../../scripts/local/postgres.ts";
import { createDatabase } from "../../scripts/local/postgres-roles.ts";

export interface SeedDatabase {
  name: string;
  appUrl: string;
  /** May end other people's connections, in this database. */
  adminUrl: string;
}

export interface Cluster {
  superuserUrl: string;
  template: string;
  createDatabase(): Promise<SeedDatabase>;
}

/** Over a Postgres that runs, with a migrated database that nobody is connected to. */
export const clusterOn = (superuserUrl: string, templateDatabase: string): Cluster => ({
  superuserUrl,
  template: templateDatabase,
  createDatabase: async () => {
    const name = `sim_${randomBytes(8).toString("hex")}`;
    const { appUrl } = await createDatabase(superuserUrl, name, templateDatabase);
    const adminUrl = new URL(superuserUrl);
    adminUrl.pathname = `/${name}`;
    return { name, appUrl, adminUrl: adminUrl.href };
  },
});

const ownTemplate = "simulation_template";

/** A Postgres of the command's own. */
export async function startCluster(): Promise<{ cluster: Cluster; stop(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "on-the-rail-sim-"));
  await chmod(folder, 0o711); // Postgres may run as another user, who has to reach its data.
  const clear = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const postgres = await startLocalPostgres({ dataDir: join(folder, "postgres"), persist: false });
    const stop = async (): Promise<void> => {
      await postgres.stop();
      await clear();
    };
    try {
      const { ownerUrl } = await createDatabase(postgres.superuserUrl, ownTemplate);
      await migrate(ownerUrl);
    } catch (error) {
      await stop();
      throw error;
    }
    return { cluster: clusterOn(postgres.superuserUrl, ownTemplate), stop };
  } catch (error) {
    await clear();
    throw error;
  }
}
