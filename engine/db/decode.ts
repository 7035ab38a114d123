/** Decoders for what pg hands over: numeric and bigint arrive as text, timestamps as Date. */
import { z } from "zod";

/** numeric(78,0) or bigint as a bigint. */
export const big = z
  .string()
  .regex(/^-?[0-9]+$/)
  .transform(BigInt);
/** An id, kept as its decimal text. */
export const id = z.string().regex(/^[0-9]+$/);
/** A bigint column that is known to stay small, such as a sequence or a nonce. */
export const count = z.coerce.number().int().refine(Number.isSafeInteger);
export const moment = z.date();

/** Rows through a decoder; a row of another shape is a bug of ours and throws. */
export const rowsOf = <Shape extends z.ZodType>(shape: Shape, rows: unknown[]): z.output<Shape>[] =>
  rows.map((row) => shape.parse(row));
/** The first row, or null. */
export const firstOf = <Shape extends z.ZodType>(shape: Shape, rows: unknown[]): z.output<Shape> | null =>
  rows.length === 0 ? null : shape.parse(rows[0]);
/** The one row that a statement must give. */
export const oneOf = <Shape extends z.ZodType>(shape: Shape, rows: unknown[]): z.output<Shape> => {
  if (rows.length !== 1) throw new Error(`expected one row, got ${rows.length}`);
  return shape.parse(rows[0]);
};
