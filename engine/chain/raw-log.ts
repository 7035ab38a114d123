/**
 * Logs as nodes answer them, checked by hand: a full block of Base holds hundreds, a range tens of thousands, and a
 * schema library takes ten times as long as this on each.
 */
import { InconsistentAnswerError } from "./errors.ts";
import type { Shape } from "./types.ts";

/** Hashes, topics and addresses are lower case. */
export interface RawLog {
  address: string;
  topics: string[];
  data: string;
  blockNumber: bigint;
  blockHash: string;
  transactionHash: string;
  logIndex: number;
  removed: boolean;
}

const mostLogs = 100_000;
const mostTopics = 4;
/** What fits the books' column, and more than any block holds. */
const mostIndex = 2 ** 31 - 1;
/** Of a log's data; a block can't hold more. */
const mostDataBytes = 4_000_000;

export const logList: Shape<RawLog[]> = {
  parse(answer) {
    if (!Array.isArray(answer)) throw new InconsistentAnswerError("no list of logs was answered");
    if (answer.length > mostLogs)
      throw new InconsistentAnswerError(`more than ${mostLogs} logs were answered`);
    return answer.map(parseLog);
  },
};

function parseLog(value: unknown): RawLog {
  if (typeof value !== "object" || value === null) throw wrong("log", value);
  const log = value as Record<string, unknown>;
  const { topics, removed = false } = log;
  if (!Array.isArray(topics) || topics.length > mostTopics) throw wrong("topics", topics);
  if (typeof removed !== "boolean") throw wrong("removed", removed);
  return {
    address: fixed(log, "address", 20),
    topics: topics.map((topic: unknown) => fixed({ topic }, "topic", 32)),
    data: dataOf(log),
    blockNumber: BigInt(quantityOf(log, "blockNumber")),
    blockHash: fixed(log, "blockHash", 32),
    transactionHash: fixed(log, "transactionHash", 32),
    logIndex: indexOf(log),
    removed,
  };
}

function fixed(log: Record<string, unknown>, field: string, bytes: number): string {
  const value = log[field];
  if (typeof value !== "string" || value.length !== 2 + 2 * bytes || !isHex(value)) throw wrong(field, value);
  return value.toLowerCase();
}

/** At most 2^48, so that it is exact as a number. */
function quantityOf(log: Record<string, unknown>, field: string): string {
  const value = log[field];
  if (typeof value !== "string" || value.length < 3 || value.length > 14 || !isHex(value))
    throw wrong(field, value);
  return value;
}

function indexOf(log: Record<string, unknown>): number {
  const index = Number(quantityOf(log, "logIndex"));
  if (index > mostIndex) throw wrong("logIndex", log.logIndex);
  return index;
}

function dataOf({ data }: Record<string, unknown>): string {
  const isRight = typeof data === "string" && data.length % 2 === 0 && data.length <= 2 + 2 * mostDataBytes;
  if (!isRight || !isHex(data)) throw wrong("data", data);
  return data;
}

const isHex = (text: string): boolean => /^0x[0-9a-fA-F]*$/.test(text);

const wrong = (field: string, value: unknown): InconsistentAnswerError =>
  new InconsistentAnswerError(`a log with a wrong ${field} was answered: ${String(value).slice(0, 80)}`);
