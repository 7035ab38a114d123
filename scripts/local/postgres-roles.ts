import { createHmac } from "node:crypto";
import pg from "pg";

export const databaseName = "on_the_rail";
const ownerRole = "on_the_rail_owner";
const serverRole = "on_the_rail_server";
const signerRole = "on_the_rail_keys";
const appGroup = "on_the_rail_app";
const signerGroup = "on_the_rail_signer";

/** Connection strings: the server's superuser, the owner of the database (migrations), the application's own login, the signer's. */
export type RoleUrls = { superuserUrl: string; ownerUrl: string; appUrl: string; signerUrl: string };

/** Makes the roles and the database where they are missing. */
export async function prepareRoles(superuserUrl: string): Promise<RoleUrls> {
  const client = new pg.Client({ connectionString: superuserUrl });
  await client.connect();
  try {
    for (const group of [appGroup, signerGroup]) await makeRole(client, group, "NOLOGIN");
    for (const role of [ownerRole, serverRole, signerRole]) {
      await makeRole(client, role, `LOGIN PASSWORD ${client.escapeLiteral(passwordOf(role, superuserUrl))}`);
    }
    await client.query(`GRANT ${appGroup} TO ${serverRole}`);
    await client.query(`GRANT ${signerGroup} TO ${signerRole}`);
    const { rowCount } = await client.query("SELECT 1 FROM pg_database WHERE datname = $1", [databaseName]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${databaseName} OWNER ${ownerRole}`);
  } finally {
    await client.end();
  }
  return urlsOf(superuserUrl, databaseName);
}

/** Makes a database, empty or as a copy of `template`, owned by the owner's role. Copied as files, which is quicker than through the log. */
export async function createDatabase(
  superuserUrl: string,
  name: string,
  template = "template1",
): Promise<RoleUrls> {
  await runAsSuperuser(
    superuserUrl,
    `CREATE DATABASE ${name} OWNER ${ownerRole} TEMPLATE ${template} STRATEGY FILE_COPY`,
  );
  return urlsOf(superuserUrl, name);
}

/** Removes a database with whatever is connected to it. */
export async function dropDatabase(superuserUrl: string, name: string): Promise<void> {
  await runAsSuperuser(superuserUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
}

async function runAsSuperuser(superuserUrl: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: superuserUrl });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

async function makeRole(client: pg.Client, name: string, attributes: string): Promise<void> {
  const { rowCount } = await client.query("SELECT 1 FROM pg_roles WHERE rolname = $1", [name]);
  await client.query(`${rowCount === 0 ? "CREATE" : "ALTER"} ROLE ${name} ${attributes}`);
}

/** Derived one way from the superuser's, so that whoever reads the application's login can't become the owner by it. */
function passwordOf(role: string, superuserUrl: string): string {
  return createHmac("sha256", new URL(superuserUrl).password).update(role).digest("hex");
}

function urlsOf(superuserUrl: string, database: string): RoleUrls {
  const urlFor = (role: string) => {
    const url = new URL(superuserUrl);
    url.username = role;
    url.password = passwordOf(role, superuserUrl);
    url.pathname = `/${database}`;
    return url.href;
  };
  return {
    superuserUrl,
    ownerUrl: urlFor(ownerRole),
    appUrl: urlFor(serverRole),
    signerUrl: urlFor(signerRole),
  };
}
