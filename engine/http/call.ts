/** What a route's handler is given and gives back. The types follow from the contract, so that none can be forgotten. */
import type { FastifyReply } from "fastify";
import type { Result } from "../contract/problems.ts";
import type { BodyOf, ParamsOf, QueryOf, ResponseOf, RouteName, Routes } from "../contract/routes.ts";
import type { Session } from "../services/sessions.ts";
import type { Idempotency } from "../services/transaction.ts";

export interface Call<Name extends RouteName> {
  params: ParamsOf<Name>;
  query: QueryOf<Name>;
  body: BodyOf<Name>;
  /** Who asks; on a public route nobody is looked up. */
  session: Routes[Name]["access"] extends "public" ? null : Session;
  /** The key of a write of money, and what it stands for. */
  idempotency: Routes[Name] extends { money: true } ? Idempotency : null;
  cookieHeader: string | undefined;
  /** For cookies; the answer itself is what the handler returns. */
  reply: FastifyReply;
}
export type Handler<Name extends RouteName> = (call: Call<Name>) => Promise<Result<ResponseOf<Name>>>;
/** One for each route of the map: a missing one doesn't compile. */
export type Handlers = { [Name in RouteName]: Handler<Name> };
/** The handlers of one area. */
export type HandlersOf<Names extends RouteName> = Pick<Handlers, Names>;
