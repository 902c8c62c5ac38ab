import { about, describe, differences } from './check-commands.ts';
import { stateOf, type BoardFile, type RunIndex } from './index-run.ts';
import type { Rule } from './rule.ts';

/** What catalog-service has made of the events. */
export const catalogRules: readonly Rule[] = [
  {
    invariant: 'I2',
    name: 'nothing is applied that was not committed',
    evenAmongOthers: true,
    *find({ boards }) {
      for (const { id, events, row, catalog, mark, parked } of boards.values()) {
        if (events.length > 0 || row !== undefined) continue;
        const traces = [
          ...(catalog ? [`the catalog has version ${catalog.version}`] : []),
          ...(mark && mark.version > 0 ? [`the mark is ${mark.version}`] : []),
          ...parked.map(({ version }) => `version ${version} is parked`),
        ];
        if (traces.length > 0)
          yield about(id, undefined, `it was never committed, and ${traces.join(', ')}`);
      }
    },
  },
  {
    invariant: 'I1',
    name: 'the mark is the version of the board',
    evenAmongOthers: true,
    *find(run) {
      for (const { id, events, mark } of run.boards.values()) {
        const last = events.at(-1);
        if (last === undefined) continue;
        const version = mark?.version ?? 0;
        if (version > last.version) {
          yield about(id, last, `the mark is ${version}, and the last event is ${describe(last)}`);
        } else if (version < last.version && !isBlocked(run, id, version)) {
          const next = events.find((event) => event.version === version + 1);
          yield about(
            id,
            next,
            `the mark is ${version}, and ${describe(next)} is neither applied nor a dead letter`,
          );
        }
        const marked = events.find((event) => event.version === version);
        if (mark && marked && marked.id !== mark.eventId)
          yield about(
            id,
            marked,
            `the mark ${version} is of event ${mark.eventId}, not of ${describe(marked)}`,
          );
      }
    },
  },
  {
    invariant: 'I5',
    name: 'a catalog row is its board',
    evenAmongOthers: true,
    *find({ boards }) {
      for (const file of boards.values()) {
        const { id, catalog, mark } = file;
        const applied = appliedEvent(file);
        if (applied === undefined) {
          // Without any event it is for the first rule.
          if (catalog && file.events.length > 0 && (mark?.version ?? 0) === 0)
            yield about(
              id,
              undefined,
              `the catalog has version ${catalog.version}, and there is no mark`,
            );
          continue;
        }
        if (catalog === undefined) {
          yield about(
            id,
            applied,
            `the mark is ${applied.version}, and the catalog does not have it`,
          );
          continue;
        }
        const state = stateOf(applied);
        if (state === undefined) continue;
        const wrong = differences(catalog, state);
        if (wrong.length > 0)
          yield about(
            id,
            applied,
            `the catalog is not what ${describe(applied)} says: ${wrong.join('; ')}`,
          );
      }
    },
  },
  {
    invariant: 'I3',
    name: 'an event is applied once',
    evenAmongOthers: true,
    *find({ boards }) {
      for (const file of boards.values()) {
        const { id, catalog, skipped } = file;
        const applied = appliedEvent(file);
        if (catalog === undefined || applied === undefined) continue;
        const skips = skipped.filter(({ version }) => version <= applied.version).length;
        if (catalog.appliedCount !== applied.version - skips)
          yield about(
            id,
            applied,
            `${catalog.appliedCount} events were applied, the mark is ${applied.version} and ${skips} were skipped`,
          );
      }
    },
  },
  {
    invariant: 'I3',
    name: 'a creation is counted once',
    evenAmongOthers: false,
    *find({ boards, evidence }) {
      const { createdPerDay: counted } = evidence;
      const applied: Record<string, number> = {};
      for (const { mark, events, row, catalog } of boards.values()) {
        const [first] = events;
        const { createdAt } = (first && stateOf(first)) ?? row ?? catalog ?? {};
        // What was never committed is for the first rule.
        if ((mark?.version ?? 0) === 0 || createdAt === undefined) continue;
        const day = dayOf(createdAt);
        applied[day] = (applied[day] ?? 0) + 1;
      }
      for (const day of new Set([...Object.keys(counted), ...Object.keys(applied)]))
        if ((counted[day] ?? 0) !== (applied[day] ?? 0))
          yield about(
            null,
            undefined,
            `${counted[day] ?? 0} creations were counted on ${day}, ${applied[day] ?? 0} boards of that day are applied`,
          );
    },
  },
  {
    invariant: 'I1',
    name: 'nothing stays parked',
    evenAmongOthers: true,
    *find(run) {
      for (const { id, parked, mark, events } of run.boards.values()) {
        const version = mark?.version ?? 0;
        for (const row of parked)
          if (events.length > 0 && (row.version <= version + 1 || !isBlocked(run, id, version)))
            yield about(
              id,
              undefined,
              `version ${row.version} (${row.eventId}) is parked, and the mark is ${version}`,
            );
      }
    },
  },
  {
    invariant: 'I1',
    name: 'what follows a dead letter is parked',
    evenAmongOthers: true,
    *find(run) {
      for (const { id, events, mark, parked } of run.boards.values()) {
        const version = mark?.version ?? 0;
        if (!isBlocked(run, id, version)) continue;
        const kept = new Map(parked.map((row) => [row.version, row.eventId]));
        for (const event of events)
          if (event.version > version + 1 && kept.get(event.version) !== event.id)
            yield about(
              id,
              event,
              `the dead letter is version ${version + 1}, and ${describe(event)} is not parked behind it`,
            );
      }
    },
  },
  {
    invariant: 'I4',
    name: 'nothing is skipped',
    evenAmongOthers: true,
    *find({ boards }) {
      for (const { id, skipped } of boards.values())
        for (const { version, decidedBy } of skipped)
          yield about(
            id,
            undefined,
            `version ${version} was skipped (${decidedBy}), and no client or operator asked for it`,
          );
    },
  },
];

/** The UTC day of a time. */
export function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

function appliedEvent({ events, mark }: BoardFile) {
  return events.find(({ version }) => version === mark?.version);
}

/** The version after this one is an open dead letter; whether it may be one is for another rule. */
function isBlocked({ boards }: RunIndex, id: string, version: number): boolean {
  const { deadLetters = [] } = boards.get(id) ?? {};
  return deadLetters.some(
    (deadLetter) => deadLetter.version === version + 1 && deadLetter.closedBy === null,
  );
}
