import type { Mark } from '../../decide/decide.ts';
import type { Identity } from '../../decide/identity.ts';
import type { Delivery } from '../../delivery.ts';

/** The inbox's tables as committed; every method is one statement or the writes of one commit, so nothing comes between. */
export interface ModelDatabase {
  readonly effects: readonly Identity[];
  readonly marks: ReadonlyMap<string, Mark>;
  /** Takes the locks on all these marks, or none of them. */
  lock(owner: object, ids: readonly string[]): boolean;
  release(owner: object): void;
  mark(id: string): Mark;
  /** Returns those whose place another event holds. */
  park(deliveries: readonly Delivery[]): Delivery[];
  moveMarks(moved: ReadonlyMap<string, Mark>): void;
  /** Deletes the parked rows that these marks have passed; returns the aggregates that have others. */
  clearPassed(moved: ReadonlyMap<string, Mark>): string[];
  parkedOf(id: string): Delivery[];
  nextParked(id: string, limit: number): Delivery[];
  unpark(deliveries: readonly Delivery[]): void;
  addEffect(identity: Identity): void;
  skip(identity: Identity): void;
  isSkipped(identity: Identity): boolean;
  forgetSkip(identity: Identity): void;
}

const none: Mark = { version: 0, eventId: '' };

export function createModelDatabase(keepsPassedRows: boolean): ModelDatabase {
  const effects: Identity[] = [];
  const marks = new Map<string, Mark>();
  const owners = new Map<string, object>();
  const parked = new Map<string, Map<number, Delivery>>();
  const skipped = new Map<string, string>();
  const mark = (id: string): Mark => marks.get(id) ?? none;
  const place = ({ aggregateId, version }: Identity): string => `${aggregateId} ${version}`;
  const rowsOf = (id: string): Delivery[] =>
    [...(parked.get(id)?.values() ?? [])].sort((a, b) => a.identity.version - b.identity.version);

  return {
    effects,
    marks,
    lock(owner, ids) {
      if (ids.some((id) => owners.has(id) && owners.get(id) !== owner)) return false;
      for (const id of ids) owners.set(id, owner);
      return true;
    },
    release(owner) {
      for (const [id, holder] of owners) if (holder === owner) owners.delete(id);
    },
    mark,
    park(deliveries) {
      return deliveries.filter((delivery) => {
        const { aggregateId, version, eventId } = delivery.identity;
        const rows = parked.get(aggregateId) ?? new Map<number, Delivery>();
        parked.set(aggregateId, rows);
        const holder = rows.get(version);
        if (!holder) rows.set(version, { ...delivery, takenFrom: 'parked' });
        return holder !== undefined && holder.identity.eventId !== eventId;
      });
    },
    moveMarks(moved) {
      for (const [id, next] of moved) {
        if (next.version <= mark(id).version)
          throw new Error(`mark of ${id} moves from ${mark(id).version} to ${next.version}`);
        marks.set(id, { version: next.version, eventId: next.eventId });
      }
    },
    clearPassed(moved) {
      const drainable: string[] = [];
      for (const [id, { version }] of moved) {
        const rows = parked.get(id);
        if (!keepsPassedRows) for (const row of rows?.keys() ?? []) if (row <= version) rows?.delete(row);
        if ([...(rows?.keys() ?? [])].some((row) => row > version)) drainable.push(id);
      }
      return drainable;
    },
    parkedOf: rowsOf,
    nextParked(id, limit) {
      const next = mark(id).version + 1;
      return rowsOf(id)
        .filter((row) => row.identity.version >= next)
        .slice(0, limit)
        .filter((row, index) => row.identity.version === next + index);
    },
    unpark(deliveries) {
      for (const { identity } of deliveries) {
        const rows = parked.get(identity.aggregateId);
        if (rows?.get(identity.version)?.identity.eventId === identity.eventId) rows.delete(identity.version);
      }
    },
    addEffect: (identity) => void effects.push(identity),
    skip: (identity) => void skipped.set(place(identity), identity.eventId),
    isSkipped: (identity) => skipped.get(place(identity)) === identity.eventId,
    forgetSkip: (identity) => void skipped.delete(place(identity)),
  };
}
