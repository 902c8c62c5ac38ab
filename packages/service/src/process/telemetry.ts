import { pino, type DestinationStream, type Logger } from 'pino';
import { collectDefaultMetrics, Registry } from 'prom-client';

export type { Logger } from 'pino';

export interface LoggerOptions {
  /** The instance's name, on every line. */
  readonly name: string;
  readonly level: string;
  readonly destination?: DestinationStream;
}

/**
 * A JSON line per fact; call it as `logger.info({ event: 'http.listening', port })`, with an event
 * name that never changes.
 */
export function createLogger({ name, level, destination }: LoggerOptions): Logger {
  const options = {
    name,
    level,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: (error: unknown) => describeError(error) },
  };
  // Pino's own default writes behind the program's back: at exit its last lines come out in another
  // order or not at all.
  return pino(options, destination ?? pino.destination({ sync: true }));
}

interface ErrorLine {
  readonly type: string;
  readonly message: string;
  readonly code?: unknown;
  readonly stack?: string;
  readonly cause?: ErrorLine;
}

/**
 * An error as a log line shows it; other properties are left out, for drivers put the statement's
 * data there.
 */
function describeError(error: unknown, causesLeft = 5): ErrorLine {
  try {
    return describe(error, causesLeft);
  } catch {
    // Any value can be thrown: even reading a property or turning it into text may throw.
    return { type: typeof error, message: 'cannot be shown' };
  }
}

function describe(error: unknown, causesLeft: number): ErrorLine {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error) };
  const { name: type, message, stack, cause } = error;
  return {
    type,
    message,
    ...('code' in error && { code: error.code }),
    ...(stack !== undefined && { stack }),
    ...(cause !== undefined && causesLeft > 0 && { cause: describeError(cause, causesLeft - 1) }),
  };
}

/**
 * One sentence without its full stop; the innermost cause comes last and is the most precise: fetch
 * calls every failure "fetch failed".
 */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const text = (error.message || error.name).replace(/\.$/, '');
  return error.cause instanceof Error ? `${text}: ${reasonOf(error.cause)}` : text;
}

/**
 * The metrics of one service instance: a registry of its own, so that two of them can live in one
 * test.
 */
export function createMetrics(instance: string): Registry {
  const registry = new Registry();
  // Prometheus itself owns the label `instance`.
  registry.setDefaultLabels({ service_instance: instance });
  collectDefaultMetrics({ register: registry });
  return registry;
}
