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
export const text = z.string();
export const flag = z.boolean();
export const maybeMoment = moment.nullable();
export const maybeCount = count.nullable();

/** Rows through a decoder; a row of another shape is a bug of ours and throws. */
export const rowsOf = <Shape extends z.ZodType>(shape: Shape, rows: unknown[]): z.output<Shape>[] =>
  rows.map((row) => shape.parse(row));
/** The only column of rows. */
export const columnOf = <Shape extends z.ZodType>(shape: Shape, rows: object[]): z.output<Shape>[] =>
  rows.map((row) => shape.parse(Object.values(row)[0]));
/** The first row, or null. */
export const firstOf = <Shape extends z.ZodType>(shape: Shape, rows: unknown[]): z.output<Shape> | null =>
  rows.length === 0 ? null : shape.parse(rows[0]);
/** The one row that a statement must give. */
export const oneOf = <Shape extends z.ZodType>(shape: Shape, rows: unknown[]): z.output<Shape> => {
  if (rows.length !== 1) throw new Error(`expected one row, got ${rows.length}`);
  return shape.parse(rows[0]);
};
/** The only column of the first row, or null when there is no row. */
export const firstCellOf = <Shape extends z.ZodType>(shape: Shape, rows: object[]): z.output<Shape> | null =>
  columnOf(shape, rows.slice(0, 1))[0] ?? null;
/** The only column of the one row that a statement must give. */
export const cellOf = <Shape extends z.ZodType>(shape: Shape, rows: object[]): z.output<Shape> => {
  if (rows.length !== 1) throw new Error(`expected one row, got ${rows.length}`);
  return shape.parse(Object.values(rows[0] ?? {})[0]);
};
