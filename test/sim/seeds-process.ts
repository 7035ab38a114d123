/** Runs the seeds that it is told, one after the other, and tells what became of each. */
import { clusterOn } from "./cluster.ts";
import { runSeed } from "./run-seed.ts";

export interface Facts {
  superuserUrl: string;
  templateDatabase: string;
}

const { superuserUrl, templateDatabase } = JSON.parse(process.argv[2] ?? "") as Facts;
const cluster = clusterOn(superuserUrl, templateDatabase);
let work = Promise.resolve();
process.on("message", (seed: number) => {
  work = work.then(async () => {
    process.send?.(await runSeed(cluster, seed));
  });
});
process.once("disconnect", () => process.exit(1));
