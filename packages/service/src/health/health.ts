import { withinDeadline } from '../process/time-limits.ts';

export interface Alarm {
  readonly reason: string;
  readonly since: Date;
}

export interface Alarms {
  /** A human is needed; raising a known key again renews the reason and keeps `since`. */
  raise(key: string, reason: string): void;
  clear(key: string): void;
  active(): ReadonlyMap<string, Alarm>;
}

export function createAlarms(now: () => Date = () => new Date()): Alarms {
  const alarms = new Map<string, Alarm>();
  return {
    raise: (key, reason) =>
      void alarms.set(key, { reason, since: alarms.get(key)?.since ?? now() }),
    clear: (key) => void alarms.delete(key),
    active: () => alarms,
  };
}

export interface ReadinessState {
  ready(): void;
  notReady(reason: string): void;
}

export interface Readiness {
  /**
   * Asked on every request; ready when it resolves, not ready with the error's message or after a
   * timeout.
   */
  check(name: string, probe: () => Promise<unknown>): void;
  /** Told by the code; not ready for `reason` until it says `ready()`. */
  state(name: string, reason: string): ReadinessState;
  /** Reason by name, of what is not ready. */
  failing(): Promise<Record<string, string>>;
}

type Probe = () => Promise<string | undefined>;

export function createReadiness(probeTimeoutMs = 1_500): Readiness {
  const probes = new Map<string, Probe>();

  return {
    check(name, probe) {
      probes.set(name, () => whyNotReady(probe, probeTimeoutMs));
    },
    state(name, firstReason) {
      let reason: string | undefined = firstReason;
      probes.set(name, () => Promise.resolve(reason));
      return {
        ready: () => (reason = undefined),
        notReady: (why) => (reason = why),
      };
    },
    async failing() {
      const answers = await Promise.all(
        [...probes].map(async ([name, probe]) => [name, await probe()] as const),
      );
      return Object.fromEntries(
        answers.filter((answer): answer is [string, string] => answer[1] !== undefined),
      );
    },
  };
}

async function whyNotReady(
  probe: () => Promise<unknown>,
  timeoutMs: number,
): Promise<string | undefined> {
  try {
    await withinDeadline(probe(), timeoutMs, () => new Error(`no answer within ${timeoutMs} ms`));
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message || error.name : String(error);
  }
}
