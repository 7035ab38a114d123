import { expect, inject, it } from "vitest";
import { createPool } from "../../engine/db/pool.ts";

it("a connection that breaks in the moment in which it is lent doesn't end the process", async () => {
  const pool = createPool({ url: inject("superuserUrl"), maxConnections: 1 });
  try {
    // The pool has stopped to listen, and whoever asked for it can't have begun.
    const broken = new Promise<void>((resolve, reject) => {
      pool.connect((error, client, release) => {
        if (client === undefined) return reject(error);
        try {
          client.emit("error", new Error("terminating connection"));
          resolve();
        } catch (unheard) {
          reject(unheard);
        } finally {
          release(true);
        }
      });
    });
    await expect(broken).resolves.toBeUndefined();
  } finally {
    await pool.end();
  }
});
