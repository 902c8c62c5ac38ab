import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { HttpError } from 'koa';
import { UnavailableError } from '../process/errors.ts';
import { withinDeadline } from '../process/waits.ts';
import type { ServiceContext, ServiceMiddleware } from './observe-requests.ts';

/** One field that is wrong. */
export interface FieldError {
  /** The name of the body's field or of the parameter. */
  readonly field: string;
  /** What it must be; the name is part of the API. */
  readonly wants: string;
}

/** The members of a problem beside its status, and headers of the answer. */
export interface ProblemOptions {
  readonly detail?: string;
  readonly errors?: readonly FieldError[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** An answer of application/problem+json (RFC 9457): thrown anywhere, written at the edge. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly detail: string | undefined;
  readonly errors: readonly FieldError[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, options: ProblemOptions = {}) {
    const title = STATUS_CODES[status] ?? 'Error';
    super(options.detail ?? title, { cause: options.cause });
    this.status = status;
    this.detail = options.detail;
    this.errors = options.errors ?? [];
    this.headers = options.headers ?? {};
  }

  toJSON(): Record<string, unknown> {
    return {
      type: 'about:blank',
      title: STATUS_CODES[this.status] ?? 'Error',
      status: this.status,
      ...(this.detail === undefined ? {} : { detail: this.detail }),
      ...(this.errors.length === 0 ? {} : { errors: this.errors }),
    };
  }
}

/**
 * The edge: every error becomes a problem+json answer; an unexpected one is logged and answered
 * without detail.
 */
export const answerProblems: ServiceMiddleware = async (ctx, next) => {
  try {
    await next();
  } catch (error) {
    const problem = toProblem(error);
    if (problem.status >= 500) {
      const level = problem.status === 500 ? 'error' : 'warn';
      ctx.state.logger[level]({ event: 'http.problem', status: problem.status, err: error });
    }
    ctx.status = problem.status;
    ctx.set({ ...problem.headers });
    ctx.body = JSON.stringify(problem);
    ctx.type = 'application/problem+json';
  }
};

function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof HttpError && error.expose)
    return new Problem(error.status, { detail: error.message });
  if (error instanceof UnavailableError) {
    return new Problem(503, {
      detail: error.message,
      headers: { 'Retry-After': '1' },
      cause: error,
    });
  }
  return new Problem(500, { cause: error });
}

/**
 * Runs after all routers, so only when none took the request: 405 when the path is known, else 404.
 */
export const answerUnrouted: ServiceMiddleware = (ctx) => {
  const allowed = allowedMethods(ctx['matched']);
  if (allowed.length === 0) throw new Problem(404, { detail: 'There is nothing at this path.' });
  const Allow = allowed.join(', ');
  if (ctx.method !== 'OPTIONS') {
    throw new Problem(405, { detail: `This path takes ${Allow}.`, headers: { Allow } });
  }
  ctx.status = 204;
  ctx.set({ Allow });
};

/** @koa/router leaves the layers whose path fits in `ctx.matched`, whatever their method. */
function allowedMethods(matched: unknown): string[] {
  const layers: readonly { readonly methods: readonly string[] }[] = Array.isArray(matched)
    ? matched
    : [];
  return [...new Set(layers.flatMap((layer) => layer.methods))].sort();
}

/** A time limit of one answer. */
export interface AnswerDeadline {
  readonly deadlineMs: number;
  /** The problem's detail when the deadline passes. */
  readonly detail: string;
}

/** What `work` gives, or 503 when that takes too long; what it fails with then is logged. */
export async function answerInTime<Result>(
  ctx: ServiceContext,
  { deadlineMs, detail }: AnswerDeadline,
  work: Promise<Result>,
): Promise<Result> {
  const { logger } = ctx.state;
  return withinDeadline(work, deadlineMs, () => {
    work.catch((err: unknown) => logger.warn({ event: 'http.late-failure', err }));
    return new Problem(503, { detail, headers: { 'Retry-After': '1' } });
  });
}

/** Answers a request that reaches no route. */
export function answerPlainly(response: ServerResponse, problem: Problem): void {
  const body = JSON.stringify(problem);
  response.writeHead(problem.status, {
    'Content-Type': 'application/problem+json',
    'Content-Length': Buffer.byteLength(body),
    ...problem.headers,
  });
  response.end(body);
}

const statusByCode: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** Answers bytes that are no HTTP request, or came too slowly, and closes the connection. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = new Problem(statusByCode[error.code ?? ''] ?? 400);
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${problem.status} ${problem.message}\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
