import type { BreakerState, DeadLetterIndex } from '../../../src/store/store.ts';
import {
  acquire,
  type Change,
  type DeadLetterRow,
  type MemoryDatabase,
  type Open,
  type View,
} from './database.ts';

export function memoryDeadLetters(
  changes: Change[],
  view: View,
  nowMs: () => number,
): DeadLetterIndex {
  function close(isMeant: (id: string, row: DeadLetterRow) => boolean): void {
    const { deadLetters, marks, skipped } = view();
    for (const [id, row] of deadLetters) {
      const { identity, failure } = row.stored;
      if (row.closedBy !== undefined || identity === undefined || !isMeant(id, row)) continue;
      if (failure.reason === 'no-identity' || failure.reason === 'conflict') continue;
      const mark = marks.get(identity.aggregateId)?.version ?? 0;
      const skip = skipped.get(`${identity.aggregateId}/${identity.version}`);
      const own = skip?.identity.eventId === identity.eventId ? skip : undefined;
      const isPassed =
        mark > identity.version || (mark === identity.version && own?.decidedBy !== 'policy');
      const closedBy = own === undefined ? 'applied' : 'skipped';
      if (isPassed) changes.push((tables) => tables.deadLetters.set(id, { ...row, closedBy }));
    }
  }
  return {
    async record(deadLetters) {
      for (const stored of deadLetters) {
        const { topic, partition, offset } = stored.failure.record.origin;
        const id = stored.identity?.eventId ?? `${topic}/${partition}/${offset}`;
        const lastFailedAtMs = nowMs();
        changes.push((tables) => {
          const before = tables.deadLetters.get(id)?.closedBy;
          const closedBy = before === 'dismissed' ? before : undefined;
          tables.deadLetters.set(id, { stored, lastFailedAtMs, closedBy });
        });
      }
    },
    async closePage() {
      close(() => true);
      return undefined;
    },
    async closeOf(which) {
      close((id, { stored }) =>
        'id' in which ? id === which.id : stored.identity?.aggregateId === which.aggregateId,
      );
    },
    async countOpen() {
      const open = [...view().deadLetters.values()].filter(
        ({ closedBy }) => closedBy === undefined,
      );
      const byReason = Map.groupBy(open, ({ stored }) => stored.failure.reason);
      return new Map([...byReason].map(([reason, rows]) => [reason, rows.length] as const).sort());
    },
  };
}

export function memoryBreaker(database: MemoryDatabase, open: Open, view: View): BreakerState {
  const { changes, nowMs } = open;
  return {
    openedAt: async () => view().breaker.openedAtMs,
    async open(probeAfterMs) {
      if (view().breaker.openedAtMs !== undefined) return;
      const breaker = { openedAtMs: nowMs(), probeAtMs: nowMs() + probeAfterMs };
      changes.push((tables) => (tables.breaker = breaker));
    },
    async close() {
      changes.push((tables) => (tables.breaker = { ...tables.breaker, openedAtMs: undefined }));
    },
    async claimProbe(everyMs) {
      await acquire(database, open, 'the row of the circuit breaker');
      const { openedAtMs, probeAtMs } = view().breaker;
      if (openedAtMs === undefined || (probeAtMs > nowMs() && probeAtMs <= nowMs() + everyMs))
        return false;
      changes.push((tables) => (tables.breaker = { openedAtMs, probeAtMs: nowMs() + everyMs }));
      return true;
    },
    async returnProbe() {
      changes.push((tables) => (tables.breaker = { ...tables.breaker, probeAtMs: nowMs() }));
    },
    async countDeadLetters(windowMs) {
      return [...view().deadLetters.values()].filter(
        ({ stored: { failure, identity }, closedBy, lastFailedAtMs }) =>
          closedBy === undefined &&
          identity !== undefined &&
          ['attempts-exhausted', 'unprocessable'].includes(failure.reason) &&
          lastFailedAtMs >= nowMs() - windowMs,
      ).length;
    },
  };
}
