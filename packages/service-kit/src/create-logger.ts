import { pino, type DestinationStream, type Logger } from 'pino';
import { describeError } from './describe-error.ts';

export type { Logger } from 'pino';

export interface LoggerOptions {
  /** The instance's name, on every line. */
  readonly name: string;
  readonly level: string;
  readonly destination?: DestinationStream;
}

/** A JSON line per fact; call it as `logger.info({ event: 'http.listening', port })`, with an event name that never changes. */
export function createLogger({ name, level, destination }: LoggerOptions): Logger {
  const options = {
    name,
    level,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: (error: unknown) => describeError(error) },
  };
  // Pino's own default writes behind the program's back: at exit its last lines come out in another order or not at all.
  return pino(options, destination ?? pino.destination({ sync: true }));
}
