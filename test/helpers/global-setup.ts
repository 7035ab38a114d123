import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ProvidedContext } from "vitest";
import type { TestProject } from "vitest/node";
import { migrate } from "../../engine/db/migrate.ts";
import { startLocalPostgres } from "../../scripts/local/postgres.ts";
import { createDatabase } from "../../scripts/local/postgres-roles.ts";
import { startUpstream } from "../../scripts/local/upstream.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The superuser of the run's throw-away Postgres. */
    superuserUrl: string;
    /** A migrated database with nothing in it, to be copied and never connected to. */
    templateDatabase: string;
    /** The chain that each test's own chain is a fork of. Nobody mines on it. */
    upstreamUrl: string;
  }
}

const templateDatabase = "on_the_rail_template";

/** One Postgres with a migrated template and one upstream chain for the whole run; both end with it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), "on-the-rail-test-"));
  await chmod(folder, 0o711); // Postgres may run as another user, who has to reach its data.
  const stops: (() => Promise<void>)[] = [() => rm(folder, { recursive: true, force: true })];
  const stop = async () => {
    for (const end of stops.splice(0).reverse()) await end();
  };
  try {
    const postgres = await startLocalPostgres({ dataDir: join(folder, "postgres"), persist: false });
    stops.push(postgres.stop);
    const upstream = await startUpstream({ port: 0 });
    stops.push(upstream.stop);
    const { ownerUrl } = await createDatabase(postgres.superuserUrl, templateDatabase);
    await migrate(ownerUrl);
    provideAll(project, {
      superuserUrl: postgres.superuserUrl,
      upstreamUrl: upstream.rpcUrl,
      templateDatabase,
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return stop;
}

function provideAll(project: TestProject, context: ProvidedContext): void {
  project.provide("superuserUrl", context.superuserUrl);
  project.provide("templateDatabase", context.templateDatabase);
  project.provide("upstreamUrl", context.upstreamUrl);
}
