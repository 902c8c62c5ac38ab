import { must } from '@board/service';
import type { Delivery, ParkedDelivery } from '../../../src/record.ts';
import type { ParkedEvents } from '../../../src/store/store.ts';
import type { Change, View } from './database.ts';

export function memoryParked(changes: Change[], view: View, nowMs: () => number): ParkedEvents {
  const rowsOf = (id: string): ParkedDelivery[] =>
    [...(view().parked.get(id) ?? [])].sort(([a], [b]) => a - b).map(([, row]) => row);
  const keep = (id: string, isKept: (version: number, row: ParkedDelivery) => boolean): void =>
    void changes.push(({ parked }) => {
      const left = [...(parked.get(id) ?? [])].filter(([version, row]) => isKept(version, row));
      if (left.length === 0) parked.delete(id);
      else parked.set(id, new Map(left));
    });
  const versionsOf = (id: string): number[] => rowsOf(id).map(({ identity }) => identity.version);
  return {
    async add(deliveries) {
      const conflicts: Delivery[] = [];
      for (const delivery of deliveries) {
        const { aggregateId, version, eventId } = delivery.identity;
        const parkedAtMs = nowMs();
        const put = (row: ParkedDelivery): void =>
          void changes.push(({ parked }) =>
            parked.set(aggregateId, new Map(parked.get(aggregateId)).set(version, row)),
          );
        const holder = view().parked.get(aggregateId)?.get(version);
        if (holder === undefined) put({ ...delivery, takenFrom: 'parked', parkedAtMs });
        else if (holder.identity.eventId !== eventId) conflicts.push(delivery);
        else
          put({
            ...holder,
            kind: delivery.replayed ? delivery.kind : holder.kind,
            firstFailedAtMs: holder.firstFailedAtMs ?? delivery.firstFailedAtMs,
            replayed: holder.replayed || delivery.replayed,
            attempt: Math.max(holder.attempt, delivery.attempt),
            parkedAtMs: holder.parkedAtMs + 1,
          });
      }
      return conflicts;
    },
    async compare(moved) {
      const ids = [...moved].map(([id, { version }]) => ({ id, version, parked: versionsOf(id) }));
      return {
        passed: ids
          .filter(({ version, parked }) => parked.some((one) => one <= version))
          .map(({ id }) => id),
        waiting: ids
          .filter(({ version, parked }) => parked.some((one) => one > version))
          .map(({ id }) => id),
      };
    },
    findConflicts: async (applied) =>
      applied.flatMap(({ aggregateId, version, eventId }) => {
        const row = view().parked.get(aggregateId)?.get(version);
        return row !== undefined && row.identity.eventId !== eventId ? [row] : [];
      }),
    async deletePassed(moved, aggregateIds) {
      for (const id of aggregateIds) {
        const { version: mark } = must(moved.get(id), `moved mark of ${id}`);
        keep(id, (version) => version > mark);
      }
    },
    async next(aggregateId, limit) {
      const next = (view().marks.get(aggregateId)?.version ?? 0) + 1;
      return rowsOf(aggregateId)
        .filter(({ identity }) => identity.version >= next)
        .filter(({ identity }, index) => identity.version === next + index)
        .slice(0, limit);
    },
    find: async (aggregateId, version) => view().parked.get(aggregateId)?.get(version),
    async remove(rows) {
      // Looked at when it is committed: a row that was parked again by then is another one.
      for (const { identity, attempt, parkedAtMs } of rows)
        keep(
          identity.aggregateId,
          (version, row) =>
            version !== identity.version ||
            row.identity.eventId !== identity.eventId ||
            row.attempt !== attempt ||
            row.parkedAtMs !== parkedAtMs,
        );
    },
    async lowest(after) {
      const { parked, marks } = view();
      return [...parked.keys()]
        .filter((id) => id > after)
        .sort()
        .slice(0, 500)
        .map((aggregateId) => ({
          aggregateId,
          version: must(versionsOf(aggregateId)[0], 'parked version'),
          mark: marks.get(aggregateId)?.version,
        }));
    },
    async size() {
      const rows = [...view().parked.values()].flatMap((ofAggregate) => [...ofAggregate.values()]);
      const bytes = rows.reduce((sum, { record }) => sum + sizeOf(record), 0);
      const oldest = Math.min(...rows.map(({ parkedAtMs }) => parkedAtMs));
      return {
        rows: rows.length,
        bytes,
        oldestAgeMs: rows.length === 0 ? 0 : Math.max(0, nowMs() - oldest),
      };
    },
  };
}

function sizeOf({ key, value, headers }: Delivery['record']): number {
  return (key?.length ?? 0) + (value?.length ?? 0) + headers.bytes.length;
}
