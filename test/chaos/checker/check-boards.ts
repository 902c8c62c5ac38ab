import type { OutboxRow } from './evidence.ts';
import { about, describe, differences } from './check-commands.ts';
import { stateOf } from './index-run.ts';
import type { Rule } from './rule.ts';

/** All or nothing: a board and its events. */
export const boardRules: readonly Rule[] = [
  {
    invariant: 'I5',
    name: 'a payload can be read',
    evenAmongOthers: true,
    *find({ boards }) {
      for (const { id, events } of boards.values())
        for (const event of events)
          if ('problem' in event.event)
            yield about(id, event, `the payload of ${describe(event)}: ${event.event.problem}`);
    },
  },
  {
    invariant: 'I4',
    name: 'the events of a board are numbered without a gap',
    evenAmongOthers: true,
    *find({ boards }) {
      for (const { id, events } of boards.values())
        for (const [index, event] of events.entries()) {
          const problem = misplaced(event, index, events.length);
          if (problem !== undefined) yield about(id, event, `${describe(event)} ${problem}`);
        }
    },
  },
  {
    // So that a board's events, and an author's, keep their order: another key may be in another
    // partition.
    invariant: 'I4',
    name: 'the partition key is the author, or the board',
    evenAmongOthers: true,
    *find({ boards }) {
      for (const { id, events } of boards.values())
        for (const event of events) {
          const state = stateOf(event);
          const key = state?.author ?? id;
          if (state !== undefined && event.partitionKey !== key)
            yield about(
              id,
              event,
              `${describe(event)} has the partition key ${event.partitionKey}, not ${key}`,
            );
        }
    },
  },
  {
    invariant: 'I1',
    name: 'a board is what its last event says',
    evenAmongOthers: true,
    *find({ boards }) {
      for (const { id, row, events } of boards.values()) {
        const last = events.at(-1);
        if (row === undefined) {
          if (last !== undefined)
            yield about(id, last, `the outbox has ${describe(last)}, and the board does not exist`);
          continue;
        }
        if (last === undefined) {
          yield about(
            id,
            undefined,
            `it exists at version ${row.version}, and the outbox has no event of it`,
          );
          continue;
        }
        const state = stateOf(last);
        if (state === undefined) continue;
        const wrong = differences(row, state);
        if (wrong.length > 0)
          yield about(id, last, `it is not what ${describe(last)} says: ${wrong.join('; ')}`);
      }
    },
  },
];

function misplaced(
  { type, version, event, boardId }: OutboxRow,
  index: number,
  count: number,
): string | undefined {
  if (version !== index + 1) return `stands where version ${index + 1} must be`;
  if ((type === 'BoardCreated') !== (index === 0))
    return `must ${index === 0 ? 'be' : 'not be'} a BoardCreated`;
  if (type === 'BoardDeleted' && index !== count - 1) return 'is not the last one';
  if ('problem' in event) return undefined;
  if (event.version !== version || event.id !== boardId)
    return `has the payload of version ${event.version} of ${event.id}`;
  return undefined;
}
