import { reasonOf } from '../reason-of.ts';
import type { Alarms } from './alarms.ts';

export interface OutageAlarm {
  /** The server did what it was asked for. */
  answered(): void;
  /** It did not; the error is told once the outage lasts. */
  failed(error: unknown): void;
  /** Nothing is asked any more. */
  stop(): void;
}

export interface OutageAlarmOptions {
  readonly alarms: Alarms;
  readonly key: string;
  /** What cannot be done, and which server is to do it: `MySQL at 127.0.0.1:3306 cannot be used`. */
  readonly what: string;
  /** Time that this process has really had: one that was frozen itself must not blame the server. */
  readonly elapsedMs: () => number;
  readonly now?: () => Date;
}

/** A restart of the server is over by then. */
const graceMs = 20_000;
const lookEveryMs = 1_000;

/**
 * Raises an alarm once a server has not answered for 20 s and clears it with the next answer. The question may itself stay
 * unanswered for long, so it is a timer that looks, not the failure.
 */
export function createOutageAlarm(options: OutageAlarmOptions): OutageAlarm {
  const { alarms, key, what, elapsedMs, now = () => new Date() } = options;
  let answeredAtMs = elapsedMs();
  let since = now();
  let reason = 'no answer';

  const timer = setInterval(() => {
    if (elapsedMs() - answeredAtMs < graceMs) return;
    alarms.raise(key, `${what} since ${since.toISOString()}: ${reason}; docs/runbook.md "A server does not answer"`);
  }, lookEveryMs);
  timer.unref();

  return {
    answered() {
      answeredAtMs = elapsedMs();
      since = now();
      reason = 'no answer';
      alarms.clear(key);
    },
    failed(error) {
      reason = reasonOf(error);
    },
    stop() {
      clearInterval(timer);
      alarms.clear(key);
    },
  };
}
