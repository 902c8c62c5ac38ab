import { withinDeadline } from '../process/waits.ts';

/** Why an operator is needed, and since when. */
export interface Alarm {
  readonly reason: string;
  readonly since: Date;
}

/** The active alarms of this instance, by key. */
export interface Alarms {
  /** An operator is needed; raising a known key again renews the reason and keeps `since`. */
  raise(key: string, reason: string): void;
  clear(key: string): void;
  active(): ReadonlyMap<string, Alarm>;
}

/** No alarm is active at first. */
export function createAlarms(now: () => Date = () => new Date()): Alarms {
  const alarms = new Map<string, Alarm>();
  return {
    raise: (key, reason) =>
      void alarms.set(key, { reason, since: alarms.get(key)?.since ?? now() }),
    clear: (key) => void alarms.delete(key),
    active: () => alarms,
  };
}

/** A part of the readiness that the code sets itself. */
export interface ReadinessState {
  ready(): void;
  notReady(reason: string): void;
}

/** What must be so before this instance can do its work. */
export interface Readiness {
  /**
   * Asked on every request; ready when it resolves, not ready with the error's message or after a
   * timeout.
   */
  check(name: string, probe: () => Promise<unknown>): void;
  /** Set by the code: not ready for `reason` until it calls `ready()`. */
  state(name: string, reason: string): ReadinessState;
  /** Reason by name, of what is not ready. */
  failing(): Promise<Record<string, string>>;
}

type Answer = { readonly kind: 'ready' } | { readonly kind: 'not-ready'; readonly reason: string };
type Probe = () => Promise<Answer>;

/** Ready as long as nothing is registered; a probe may take `probeTimeoutMs`. */
export function createReadiness(probeTimeoutMs = 1_500): Readiness {
  const probes = new Map<string, Probe>();

  return {
    check(name, probe) {
      probes.set(name, () => answerOf(probe, probeTimeoutMs));
    },
    state(name, firstReason) {
      let answer: Answer = { kind: 'not-ready', reason: firstReason };
      probes.set(name, () => Promise.resolve(answer));
      return {
        ready: () => (answer = { kind: 'ready' }),
        notReady: (why) => (answer = { kind: 'not-ready', reason: why }),
      };
    },
    async failing() {
      const answers = await Promise.all(
        [...probes].map(async ([name, probe]) => [name, await probe()] as const),
      );
      return Object.fromEntries(
        answers.flatMap(([name, answer]) =>
          answer.kind === 'not-ready' ? [[name, answer.reason]] : [],
        ),
      );
    },
  };
}

async function answerOf(probe: () => Promise<unknown>, timeoutMs: number): Promise<Answer> {
  try {
    await withinDeadline(probe(), timeoutMs, () => new Error(`no answer within ${timeoutMs} ms`));
    return { kind: 'ready' };
  } catch (error) {
    const reason = error instanceof Error ? error.message || error.name : String(error);
    return { kind: 'not-ready', reason };
  }
}
