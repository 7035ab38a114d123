/** What counts as paid. */
import type { TransferLog } from "../chain/types.ts";
import type { Payment } from "../db/payments.ts";

/** The exact transfer in its exact place, nothing less. */
export const isPaidBy = (payment: Payment, log: TransferLog): boolean =>
  log.token === payment.token &&
  log.ordinal === payment.ordinal &&
  log.from === payment.source &&
  log.to === payment.destination &&
  log.amount === payment.amount;

/** How many of a transaction's payments its logs bear out. One of ether has none. */
export const countPaid = (payments: readonly Payment[], logs: readonly TransferLog[]): number =>
  payments.filter((payment) => payment.token === null || logs.some((log) => isPaidBy(payment, log))).length;
