import { waitUntil } from '@board/test';
import { afterAll, afterEach, beforeAll, beforeEach, inject } from 'vitest';
import type { DeadLetterEntry, DeadLetterFilter } from '../../src/operator/dead-letter-index.ts';
import { listDeadLetters } from '../../src/operator/list-dead-letters.ts';
import type { Operator } from '../../src/operator/operator.ts';
import { replayDeadLetters, type ReplayOptions } from '../../src/operator/replay.ts';
import { openInboxLab, type InboxLab, type RunningInbox } from './inbox-lab.ts';
import { appliedVersions, thingLogHandler } from './thing-log.ts';

/** An operator beside a lab, as the tests of one file use them. */
export interface OperatorLab {
  readonly lab: InboxLab;
  readonly operator: Operator;
  /** `aggregate/version` of the events that the handler refuses; empty when a test begins. */
  readonly poison: Set<string>;
  start(options?: { afterDeadLetter?: 'block' | 'skip' }): Promise<RunningInbox>;
  list(filter?: DeadLetterFilter): Promise<DeadLetterEntry[]>;
  /** `<aggregate>/<version> <outcome>` of each. */
  replay(filter: DeadLetterFilter, options?: ReplayOptions): Promise<string[]>;
  /** Waits until exactly so many are open. */
  openDeadLetters(count: number): Promise<DeadLetterEntry[]>;
  applied(): ReturnType<typeof appliedVersions>;
  /** Waits until the last of these versions is applied. */
  appliedAll(id: string, versions: readonly number[]): Promise<unknown>;
}

/**
 * Opens and closes the lab by hooks of the calling file: one for all its tests, reset after each,
 * or one for each test, where it matters at which offset a topic or a group begins.
 */
export function useOperatorLab(labOf: 'file' | 'test'): OperatorLab {
  let lab: InboxLab;
  let operator: Operator;
  const poison = new Set<string>();

  const open = async (): Promise<void> => {
    lab = await openInboxLab(inject('stack'));
  };
  if (labOf === 'file') beforeAll(open);
  else beforeEach(open);
  beforeEach(async () => {
    operator = {
      consumer: { group: lab.group, aggregateType: 'thing' },
      dataSource: await lab.openDataSource(),
      kafka: lab.kafka,
      now: Date.now,
    };
    poison.clear();
  });
  if (labOf === 'file') {
    afterEach(() => lab.reset());
    afterAll(() => lab.close());
  } else afterEach(() => lab.close());

  const applied = () => appliedVersions(lab.schema.root);
  const list = (filter?: DeadLetterFilter): Promise<DeadLetterEntry[]> =>
    collect(listDeadLetters(operator, filter));

  return {
    get lab() {
      return lab;
    },
    get operator() {
      return operator;
    },
    poison,
    start: (options = {}) =>
      lab.start(
        thingLogHandler({
          ...options,
          sabotage: ({ aggregateId, version }) => {
            if (poison.has(`${aggregateId}/${version}`))
              throw new Error(`${aggregateId}/${version} is poison`);
          },
        }),
        { retryTiers: 1, settings: { retryBaseMs: 20 } },
      ),
    list,
    async replay(filter, options) {
      const replays = await collect(replayDeadLetters(operator, filter, options));
      return replays.map(
        ({ deadLetter, outcome }) => `${deadLetter.aggregateId}/${deadLetter.version} ${outcome}`,
      );
    },
    openDeadLetters: (count) =>
      waitUntil(`${count} open dead letters`, async () => {
        const deadLetters = await list();
        return deadLetters.length === count && deadLetters;
      }),
    applied,
    appliedAll: (id, versions) =>
      waitUntil(`${id} applied`, async () => (await applied()).get(id)?.at(-1) === versions.at(-1)),
  };
}

export const range = (to: number): number[] => Array.from({ length: to }, (_, index) => index + 1);

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
