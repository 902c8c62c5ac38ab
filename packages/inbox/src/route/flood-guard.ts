import type { Alarms, Logger } from '@board/service-kit';
import type { DataSource, EntityManager } from 'typeorm';
import type { Applied } from '../apply/applied.ts';
import * as state from '../database/flood-guard-state.ts';
import { inTransaction } from '../database/transaction.ts';
import { probeAggregateId } from '../decide/identity.ts';
import { InfrastructureError, InvalidEventError } from '../errors.ts';
import type { Consumer } from '../consumer.ts';
import type { InboxMetrics } from '../metrics.ts';
import type { InboxSettings } from '../settings.ts';
import { triedLately } from './tried-lately.ts';

/**
 * Holds everything when dead letters come too fast and most aggregates fail: then it is the handler or what it calls,
 * not the events. Open, nothing is dead-lettered and every so often one event is tried; its success closes the guard.
 */
export interface FloodGuard {
  isOpen(): boolean;
  /** Reads the state that all instances share; throws when the database is away. */
  refresh(): Promise<void>;
  /**
   * Whether letters of spent attempts may be published: `dead-letter`; or, for the one event that a probe has tried in vain,
   * `try-again-later`. Throws InfrastructureError when the guard is or now gets open.
   */
  admit(spent: number): Promise<'dead-letter' | 'try-again-later'>;
  /** Learns from a settled batch. */
  observe(result: Applied): void;
  /** Learns of an event that could not be processed. */
  failed(aggregateId: string): void;
  /** Runs `attempt` if this is the time and the instance to try one event; undefined when it is not. */
  probe<Result>(attempt: () => Promise<Result>): Promise<Result | undefined>;
}

export interface FloodGuardParts {
  readonly consumer: Consumer;
  readonly dataSource: DataSource;
  readonly settings: InboxSettings;
  readonly alarms: Alarms;
  readonly metrics: InboxMetrics;
  readonly logger: Logger;
  /** Time that this process has really had. */
  readonly elapsedMs: () => number;
}

const alarm = 'flood guard';

export function createFloodGuard({
  consumer,
  dataSource,
  settings,
  alarms,
  metrics,
  logger,
  elapsedMs,
}: FloodGuardParts): FloodGuard {
  const { floodWindowMs, floodLetters, floodFailedShare, floodProbeEveryMs } = settings;
  const tried = triedLately(floodWindowMs);
  let openedAt: number | undefined;
  let probeOutcome: 'applied' | 'failed' | 'nothing' | undefined;
  // Like all else, so that a connection to a server that became read-only is not used again.
  const shared = <Result>(work: (tx: EntityManager) => Promise<Result>): Promise<Result> =>
    inTransaction(
      dataSource,
      () => metrics.rerun(),
      ({ tx }) => work(tx),
    );

  function show(): void {
    metrics.floodGuard(openedAt !== undefined);
    if (openedAt === undefined) alarms.clear(alarm);
    else
      alarms.raise(
        alarm,
        `the flood guard is open since ${new Date(openedAt).toISOString()}: most events fail, so none is dead-lettered and one is tried every ${floodProbeEveryMs / 1_000} s`,
      );
  }

  async function refresh(): Promise<void> {
    openedAt = await shared((tx) => state.readOpenedAt(tx, consumer));
    show();
  }

  async function open(spent: number): Promise<never> {
    await shared((tx) => state.openGuard(tx, consumer, floodProbeEveryMs));
    await refresh();
    logger.error({ event: 'inbox.flood-guard-open', spent, failedShare: tried.failedShare(elapsedMs()) });
    throw new InfrastructureError('the flood guard is open');
  }

  async function close(): Promise<void> {
    await shared((tx) => state.closeGuard(tx, consumer));
    tried.clear();
    await refresh();
    logger.info({ event: 'inbox.flood-guard-closed' });
  }

  return {
    isOpen: () => openedAt !== undefined,
    refresh,
    async admit(spent) {
      if (spent === 0) return 'dead-letter';
      await refresh();
      // It makes way for the next: otherwise one event that can never succeed would be all that is ever tried.
      if (openedAt !== undefined && probeOutcome !== undefined) return 'try-again-later';
      if (openedAt !== undefined) throw new InfrastructureError('the flood guard is open');
      const letters = spent + (await shared((tx) => state.countSpentLately(tx, consumer, floodWindowMs)));
      if (letters >= floodLetters && tried.failedShare(elapsedMs()) > floodFailedShare) await open(letters);
      return 'dead-letter';
    },
    observe(result) {
      const nowMs = elapsedMs();
      const applied = result.applied.filter(
        ({ identity, kind }) => kind === 'event' && identity.aggregateId !== probeAggregateId,
      );
      for (const { identity } of applied) tried.record(identity.aggregateId, 'applied', nowMs);
      // An event that is invalid says nothing about the handler.
      const failed = result.failed.filter(({ error }) => !(error instanceof InvalidEventError));
      for (const { delivery } of failed) tried.record(delivery.identity.aggregateId, 'failed', nowMs);
      if (probeOutcome === undefined) return;
      if (failed.length > 0) probeOutcome = 'failed';
      else if (applied.length > 0 && probeOutcome !== 'failed') probeOutcome = 'applied';
    },
    failed(aggregateId) {
      tried.record(aggregateId, 'failed', elapsedMs());
      if (probeOutcome !== undefined) probeOutcome = 'failed';
    },
    async probe(attempt) {
      if (!(await shared((tx) => state.claimProbe(tx, consumer, floodProbeEveryMs)))) return undefined;
      probeOutcome = 'nothing';
      try {
        return await attempt();
      } finally {
        const outcome: string = probeOutcome;
        probeOutcome = undefined;
        logger.info({ event: 'inbox.flood-guard-probe', outcome });
        if (outcome === 'applied') await close();
        // A duplicate or an event that only parks tells nothing: the next one may be tried at once.
        if (outcome === 'nothing') await shared((tx) => state.returnProbe(tx, consumer));
      }
    },
  };
}
