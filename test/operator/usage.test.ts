import { expect, it } from "vitest";
import { readLine } from "../../scripts/operator/arguments.ts";
import { prepare } from "../../scripts/operator/commands.ts";
import { expectRefusal, nowhere, runOperator } from "./command-line.ts";

/** Each command is a process that has to load the engine first. */
const game = "0b0e7f3a-5d1c-4c7e-9a52-3a3a6f1f4d10";

it("help names every command, and so does a line with nothing on it", async () => {
  const answers = await Promise.all([[], ["help"], ["sweep", "--help"]].map((line) => runOperator(line)));
  for (const { code, stdout, stderr } of answers) {
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const listed = [...stdout.matchAll(/^ {2}([a-z][a-z-]+)/gm)].map(([, name]) => name);
    expect([...new Set(listed)]).toEqual([
      "solvency",
      "disputes",
      "decide",
      "suspense",
      "refund",
      "assign",
      "instructions",
      "give-back",
      "sweep",
      "frozen",
      "thaw",
      "backup",
      "restore",
      "recovery",
      "begin-recovery",
      "end-recovery",
      "create-keystore",
    ]);
  }
});

it("an unknown command is refused, and help follows", async () => {
  for (const name of ["payout-everything", "constructor"]) {
    const answer = await runOperator([name]);
    expectRefusal(answer, { code: 2, says: `There is no command "${name}".` });
    expect(answer.stderr).toContain("sweep --token USDC --dry-run");
  }
});

const wrong: [says: string, line: string[]][] = [
  ["Unknown option '--nonsense'. See how each command is written", ["sweep", "--nonsense"]],
  ["Option '--token <value>' argument missing.", ["sweep", "--token"]],
  ["--token is given twice", ["sweep", "--token", "USDC", "--token", "OPENWORK", "--dry-run"]],
  ["Name the token: --token USDC.", ["sweep", "--dry-run"]],
  ["Look first: sweep --token … --dry-run.", ["sweep", "--token", "USDC"]],
  ["Then, without --dry-run, confirm its total", ["sweep", "--token", "USDC", "--dry-run", "--confirm", "5"]],
  ["TOTAL is in base units, digits only", ["sweep", "--token", "USDC", "--confirm", "12.50"]],
  ["Name the GAME: npm run operator -- decide GAME", ["decide"]],
  ["GAME is the id of a disputed game", ["decide", "7", "--outcome", "red", "--reason", "The clip."]],
  [
    "--outcome is red, blue, draw or no_contest.",
    ["decide", game, "--outcome", "green", "--reason", "The clip."],
  ],
  ['Give a reason: --reason "…".', ["decide", game, "--outcome", "red"]],
  [`doesn't know what to do with "clip"`, ["decide", game, "--outcome", "red", "--reason", "The", "clip"]],
  ["at most 1000 characters", ["decide", game, "--outcome", "red", "--reason", "x".repeat(1_001)]],
  ["Name the ITEM: npm run operator -- refund ITEM", ["refund", "--reason", "A stranger's."]],
  [
    "ITEM is the number at the front of a line of `suspense`.",
    ["refund", "0x7", "--reason", "A stranger's."],
  ],
  ['Give a reason: --reason "…".', ["refund", "7"]],
  ["Name the player: --to HANDLE.", ["assign", "7", "--reason", "Bridged."]],
  ["refund doesn't take --to.", ["refund", "7", "--reason", "A stranger's.", "--to", "marcus"]],
  [
    "TRANSFER is the number at the front of a line",
    ["give-back", "0b0e7f3a", "--reason", "Blocked for good."],
  ],
  ['Give a reason: --reason "…".', ["give-back", "7"]],
  ["WALLET is the number at the front of a line of `frozen`.", ["thaw", "0x7", "--reason", "Looked at."]],
  ['Give a reason: --reason "…".', ["thaw", "7"]],
  ["refund doesn't take --dry-run.", ["refund", "7", "--reason", "A stranger's.", "--dry-run"]],
  ["--state is one of gathering, queued, sending,", ["instructions", "--state", "lost"]],
  [`disputes doesn't know what to do with "now".`, ["disputes", "now"]],
];
it.each(wrong)("what can't be meant is refused: %s", (says, line) => {
  expect(() => prepare(readLine(line))).toThrow(says);
});

it("the command line ends with 2 and the sentence alone, and has opened nothing", async () => {
  const oneOfEachKind = [
    "sweep --nonsense",
    "decide",
    "refund 7 --reason why --dry-run",
    "instructions --state x",
  ];
  const answers = await Promise.all(oneOfEachKind.map((line) => runOperator(line.split(" "))));
  const says = [
    "Unknown option '--nonsense'.",
    "Name the GAME",
    "doesn't take --dry-run",
    "--state is one of",
  ];
  for (const [index, answer] of answers.entries())
    expectRefusal(answer, { code: 2, says: says[index] ?? "" });
});

it("a database that doesn't answer, or isn't named rightly, is said in words and without its password", async () => {
  const [away, malformed, none] = await Promise.all([
    runOperator(["disputes"]),
    runOperator(["disputes"], { environment: { ...nowhere, DATABASE_URL: "mysql://operator:a-secret@db" } }),
    runOperator(["disputes"], { environment: { DATA_DIR: "/nowhere" } }),
  ]);
  expectRefusal(none, {
    code: 1,
    says: "Set DATABASE_URL and BASE_RPC_URLS, or start the local engine first",
  });
  expectRefusal(away, { code: 1, says: "The books can't be opened. connect ECONNREFUSED 127.0.0.1:1" });
  expect(away.stderr).toContain("Check DATABASE_URL. The local engine starts with: npm start");
  expectRefusal(malformed, { code: 1, says: "DATABASE_URL: must be a postgres:// address." });
});
