import type { Alarms, Logger } from '@board/service';
import { selfTestAggregateId, type Applied } from '../decide.ts';
import { InfrastructureError, InvalidEventError } from '../errors.ts';
import type { InboxMetrics } from '../health/observe.ts';
import type { InboxSettings } from '../settings.ts';
import type { InboxStore } from '../store/store.ts';

/**
 * Holds everything when dead letters come too fast and most aggregates fail: then it is the handler
 * or what it calls, not the events. Open, nothing is dead-lettered and every so often one event is
 * tried; its success closes the breaker.
 */
export interface CircuitBreaker {
  isOpen(): boolean;
  /** Reads the state that all instances share; throws when the database is away. */
  refresh(): Promise<void>;
  /**
   * Whether dead letters of spent attempts may be published: `dead-letter`; or, for the one event
   * that a probe has tried in vain, `try-again-later`. Throws InfrastructureError when the breaker
   * is open or opens now.
   */
  admit(spent: number): Promise<'dead-letter' | 'try-again-later'>;
  /** Learns from a batch whose transaction has committed. */
  observe(result: Applied): void;
  /** Learns of an event that could not be processed. */
  failed(aggregateId: string): void;
  /**
   * Runs `attempt` if this is the time and the instance to try one event; undefined when it is not.
   */
  probe<Result>(attempt: () => Promise<Result>): Promise<Result | undefined>;
}

export interface CircuitBreakerParts {
  readonly store: InboxStore;
  readonly settings: InboxSettings;
  readonly alarms: Alarms;
  readonly metrics: InboxMetrics;
  readonly logger: Logger;
  /** Time that this process has really had. */
  readonly elapsedMs: () => number;
}

const alarm = 'circuit breaker';

export function createCircuitBreaker({
  store,
  settings,
  alarms,
  metrics,
  logger,
  elapsedMs,
}: CircuitBreakerParts): CircuitBreaker {
  const { breakerWindowMs, breakerDeadLetters, breakerFailedShare, breakerProbeEveryMs } = settings;
  const tried = triedLately(breakerWindowMs);
  let openedAt: number | undefined;
  let probeOutcome: 'applied' | 'failed' | 'nothing' | undefined;

  function show(): void {
    metrics.circuitBreaker(openedAt !== undefined);
    if (openedAt === undefined) alarms.clear(alarm);
    else
      alarms.raise(
        alarm,
        `the circuit breaker is open since ${new Date(openedAt).toISOString()}: most events fail, so none is dead-lettered and one is tried every ${breakerProbeEveryMs / 1_000} s`,
      );
  }

  async function refresh(): Promise<void> {
    openedAt = await store.transaction(({ breaker }) => breaker.openedAt());
    show();
  }

  async function open(spent: number): Promise<never> {
    await store.transaction(({ breaker }) => breaker.open(breakerProbeEveryMs));
    await refresh();
    logger.error({
      event: 'inbox.circuit-breaker-open',
      oldEvent: 'inbox.flood-guard-open',
      spent,
      failedShare: tried.failedShare(elapsedMs()),
    });
    throw new InfrastructureError('the circuit breaker is open');
  }

  async function close(): Promise<void> {
    await store.transaction(({ breaker }) => breaker.close());
    tried.clear();
    await refresh();
    logger.info({
      event: 'inbox.circuit-breaker-closed',
      oldEvent: 'inbox.flood-guard-closed',
    });
  }

  return {
    isOpen: () => openedAt !== undefined,
    refresh,
    async admit(spent) {
      if (spent === 0) return 'dead-letter';
      await refresh();
      // A probe that failed goes to the end of its tier: otherwise an event that can never succeed
      // would be the only one that is tried.
      if (openedAt !== undefined && probeOutcome !== undefined) return 'try-again-later';
      if (openedAt !== undefined) throw new InfrastructureError('the circuit breaker is open');
      const deadLetters =
        spent +
        (await store.transaction(({ breaker }) => breaker.countDeadLetters(breakerWindowMs)));
      if (deadLetters >= breakerDeadLetters && tried.failedShare(elapsedMs()) > breakerFailedShare)
        await open(deadLetters);
      return 'dead-letter';
    },
    observe(result) {
      const nowMs = elapsedMs();
      const applied = result.applied.filter(
        ({ identity, kind }) => kind === 'event' && identity.aggregateId !== selfTestAggregateId,
      );
      for (const { identity } of applied) tried.record(identity.aggregateId, 'applied', nowMs);
      // An event that is invalid says nothing about the handler.
      const failed = result.failed.filter(({ error }) => !(error instanceof InvalidEventError));
      for (const { delivery } of failed)
        tried.record(delivery.identity.aggregateId, 'failed', nowMs);
      if (probeOutcome === undefined) return;
      if (failed.length > 0) probeOutcome = 'failed';
      else if (applied.length > 0 && probeOutcome !== 'failed') probeOutcome = 'applied';
    },
    failed(aggregateId) {
      tried.record(aggregateId, 'failed', elapsedMs());
      if (probeOutcome !== undefined) probeOutcome = 'failed';
    },
    async probe(attempt) {
      if (!(await store.transaction(({ breaker }) => breaker.claimProbe(breakerProbeEveryMs))))
        return undefined;
      probeOutcome = 'nothing';
      try {
        return await attempt();
      } finally {
        const outcome: string = probeOutcome;
        probeOutcome = undefined;
        logger.info({
          event: 'inbox.circuit-breaker-probe',
          oldEvent: 'inbox.flood-guard-probe',
          outcome,
        });
        if (outcome === 'applied') await close();
        // A duplicate or an event that only parks proves nothing: the next one may be tried at
        // once.
        if (outcome === 'nothing') await store.transaction(({ breaker }) => breaker.returnProbe());
      }
    },
  };
}

/**
 * Which aggregates were tried within a window of time, and which of them failed when last tried.
 */
export interface TriedLately {
  record(aggregateId: string, outcome: 'applied' | 'failed', nowMs: number): void;
  /** Share of the aggregates tried that failed, 0..1; 0 when none was tried. */
  failedShare(nowMs: number): number;
  clear(): void;
}

/** Bounded: the newest aggregates say enough. */
const maxAggregates = 100_000;

export function triedLately(windowMs: number): TriedLately {
  // In order of the last try, because a renewed key is deleted first.
  const tried = new Map<string, { readonly failed: boolean; readonly atMs: number }>();
  let failures = 0;

  function forget(aggregateId: string): void {
    if (tried.get(aggregateId)?.failed === true) failures -= 1;
    tried.delete(aggregateId);
  }

  function forgetOlderThan(sinceMs: number): void {
    for (const [aggregateId, { atMs }] of tried) {
      if (atMs >= sinceMs && tried.size <= maxAggregates) return;
      forget(aggregateId);
    }
  }

  return {
    record(aggregateId, outcome, nowMs) {
      forget(aggregateId);
      tried.set(aggregateId, { failed: outcome === 'failed', atMs: nowMs });
      if (outcome === 'failed') failures += 1;
      forgetOlderThan(nowMs - windowMs);
    },
    failedShare(nowMs) {
      forgetOlderThan(nowMs - windowMs);
      return tried.size === 0 ? 0 : failures / tried.size;
    },
    clear() {
      tried.clear();
      failures = 0;
    },
  };
}
