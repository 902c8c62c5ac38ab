import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';

/** Connect's refusal of a request, in its own words. */
export class ConnectError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'ConnectError';
    this.status = status;
  }
}

export interface RequestSettings {
  /** For one request. */
  readonly timeoutMs: number;
  /** For how long a request is repeated while Connect answers that it is rebalancing. */
  readonly rebalanceMs: number;
}

const conflict = 409;
const retryPauseMs = 250;
const keepTryingPauseMs = 500;
const starting = 'Connect is starting and has not read its topics yet';
/** Connect's own answer; its web server's pages have a message too, but no code. */
const refusal = z.object({ error_code: z.number(), message: z.string() });

/** Sends one request and returns the answer's JSON, undefined when it has none. */
export type ConnectRequest = (
  method: string,
  path: string,
  body?: unknown,
  timeoutMs?: number,
) => Promise<unknown>;

/** Opens Connect's REST API at `connectUrl`; each refusal is thrown as a `ConnectError`. */
export function connectRequest(connectUrl: string, settings: RequestSettings): ConnectRequest {
  const base = connectUrl.replace(/\/$/, '');

  async function once(
    method: string,
    path: string,
    body: unknown,
    timeoutMs: number,
  ): Promise<unknown> {
    const response = await send(`${base}${path}`, method, body, timeoutMs);
    const text = await response.text();
    if (response.ok) return text === '' ? undefined : JSON.parse(text);
    // Its web server is up before Connect: until then it has a page of its own for every path.
    if (response.status === 404 && refusalOf(text) === undefined) throw new Error(starting);
    throw new ConnectError(
      response.status,
      `Connect answered ${response.status} to ${method} ${path}: ${refusalOf(text) ?? text}`,
    );
  }

  return async (method, path, body, timeoutMs = settings.timeoutMs) => {
    const deadline = performance.now() + settings.rebalanceMs;
    for (;;) {
      try {
        return await once(method, path, body, timeoutMs);
      } catch (error) {
        if (!isRebalancing(error) || performance.now() > deadline) throw error;
        await delay(retryPauseMs);
      }
    }
  };
}

/** Connect answers some requests with 500 instead, with the same words. */
function isRebalancing(error: unknown): boolean {
  if (!(error instanceof ConnectError)) return false;
  return error.status === conflict || (error.status === 500 && /rebalance/.test(error.message));
}

async function send(
  url: string,
  method: string,
  body: unknown,
  timeoutMs: number,
): Promise<Response> {
  try {
    return await fetch(url, {
      method,
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      signal: AbortSignal.timeout(timeoutMs),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  } catch (cause) {
    throw new Error(
      `Connect does not answer at ${url}: ${rootMessage(cause)}; "npm run stack -- status" says what runs`,
      { cause },
    );
  }
}

/** The message of `fetch` is only "fetch failed"; its cause says why. */
function rootMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message || error.name : rootMessage(error.cause);
}

function refusalOf(text: string): string | undefined {
  try {
    return refusal.parse(JSON.parse(text)).message;
  } catch {
    return undefined;
  }
}

/**
 * Repeats work after every kind of failure, and throws the last one after `patienceMs`. For the way
 * out of a state in which the connector ships nothing or not as it should: it must not depend on
 * one answer of a Connect that may be starting again.
 */
export async function keepTrying<Result>(
  work: () => Promise<Result>,
  patienceMs = 60_000,
): Promise<Result> {
  for (const deadline = performance.now() + patienceMs; ; await delay(keepTryingPauseMs)) {
    try {
      return await work();
    } catch (error) {
      if (performance.now() >= deadline) throw error;
    }
  }
}
