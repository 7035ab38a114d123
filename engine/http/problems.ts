/** Every failure leaves as RFC 9457 problem details: a stable code, a plain title, the fields at fault, never a stack. */
import { randomUUID } from "node:crypto";
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { ConnectionError, FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { type Problem, problemStatus, type Rejection } from "../contract/problems.ts";
import { isAway } from "../services/health.ts";
import { fieldErrors, isFieldFailure } from "./field-errors.ts";

export const problemType = "application/problem+json; charset=utf-8";

/** The body for a rejection. `field` becomes a JSON pointer into the request. */
export function problemOf(rejection: Rejection, requestId: string): Problem {
  const [status, title] = problemStatus[rejection.code];
  const { code, message, field, facts } = rejection;
  return {
    type: `/docs/problems/${code}`,
    code,
    title,
    status,
    ...(message === undefined ? {} : { detail: message }),
    ...(facts === undefined ? {} : { facts }),
    ...(field === undefined ? {} : { errors: [{ pointer: pointerTo(field), detail: message ?? title }] }),
    requestId,
  };
}

const pointerTo = (field: string): string => `/${field.replaceAll(".", "/")}`;

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  // A string goes out as it is: the route's own schema is for its answer, not for this.
  return reply.code(problem.status).type(problemType).send(JSON.stringify(problem));
}
export const sendRejection = (reply: FastifyReply, rejection: Rejection): FastifyReply =>
  sendProblem(reply, problemOf(rejection, reply.request.id));

/** Carries a rejection out of a hook, where only throwing ends the request. */
export class RejectionError extends Error {
  override readonly name = "RejectionError";
  constructor(readonly rejection: Rejection) {
    super(rejection.code);
  }
}

/** The one error handler. What isn't expected is logged whole and answered with nothing but the request's id. */
export function handleError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (error instanceof RejectionError) return sendRejection(reply, error.rejection);
  if (isFieldFailure(error)) {
    const errors = fieldErrors(error);
    const problem = problemOf({ code: "request_invalid" }, request.id);
    return sendProblem(reply, { ...problem, ...(errors[0] && { detail: errors[0].detail }), errors });
  }
  const known = knownFailure(error);
  if (known !== null) return sendRejection(reply, known);
  if (isAway(error)) {
    request.log.warn({ error, requestId: request.id }, "something that it needs is away");
    return sendRejection(reply, { code: "overloaded" });
  }
  request.log.error({ error, requestId: request.id, route: request.routeOptions.url }, "a request failed");
  return sendRejection(reply, { code: "internal" });
}

/** What fastify itself refuses, by its stable codes. */
function knownFailure(error: unknown): Rejection | null {
  const { code, statusCode } = error as Partial<FastifyError>;
  switch (code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return { code: "body_too_large", message: "At most 64 kB." };
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return { code: "content_type_unsupported" };
    case "FST_ERR_CTP_EMPTY_JSON_BODY":
    case "FST_ERR_CTP_INVALID_JSON_BODY":
      return { code: "request_invalid", message: "The body isn't JSON." };
    case "FST_ERR_CTP_INVALID_CONTENT_LENGTH":
      return { code: "request_invalid", message: "The body isn't as long as its Content-Length says." };
    default:
      // Anything else that fastify blames on the request, such as a path that can't be decoded.
      return statusCode !== undefined && statusCode >= 400 && statusCode < 500
        ? { code: "request_invalid" }
        : null;
  }
}

/** Answers what isn't HTTP, or never ends, on the bare socket: no request was made of it. */
export function refuseConnection(error: ConnectionError, socket: Socket): void {
  if (error.code === "ECONNRESET" || socket.destroyed) return;
  const code =
    error.code === "ERR_HTTP_REQUEST_TIMEOUT"
      ? "request_timeout"
      : error.code === "HPE_HEADER_OVERFLOW"
        ? "headers_too_large"
        : "request_invalid";
  const problem = problemOf({ code }, randomUUID());
  const body = JSON.stringify(problem);
  if (socket.writable) {
    socket.write(
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\ncontent-type: ${problemType}\r\n` +
        `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    );
  }
  socket.destroy(error);
}
