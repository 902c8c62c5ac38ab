import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { auditConsumer, type Barrier } from './audit.ts';
import { placeOf } from './audit.ts';
import type { ConsumerEntry, ConsumerSide, IdRange, SourceEntry, SourceSide } from './compare.ts';
import type { Verdict } from './compare.ts';

/**
 * Both sides in memory, and what is unread in the topics; a test may change them between any two
 * calls.
 */
interface World {
  readonly source: Map<string, SourceEntry>;
  readonly consumer: Map<string, ConsumerEntry>;
  readonly unread: Set<string>;
  /** A dead letter without its record and without an identity is open. */
  unnamed: boolean;
  /** Runs before each call of a port. */
  meanwhile(call: string): void;
  /** The most entries that one call returned. */
  largest: number;
}

const hash = (parts: readonly unknown[]): string =>
  createHash('sha1').update(JSON.stringify(parts)).digest('hex');

const nothing = (id: string): ConsumerEntry => ({
  id,
  version: 0,
  content: undefined,
  eventId: undefined,
  skipped: false,
  nextParked: false,
  nextDead: false,
  conflict: false,
});

function within<Entry extends { id: string }>(
  entries: ReadonlyMap<string, Entry>,
  { after, upTo }: IdRange,
): Entry[] {
  return [...entries.values()]
    .filter(({ id }) => id > after && (upTo === undefined || id <= upTo))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

function ports(world: World): { source: SourceSide; consumer: ConsumerSide } {
  const side = <Entry extends SourceEntry | ConsumerEntry>(
    name: string,
    entries: ReadonlyMap<string, Entry>,
  ) => ({
    boundary(after: string, count: number) {
      return Promise.resolve(within(entries, { after, upTo: undefined })[count - 1]?.id);
    },
    digest(range: IdRange) {
      world.meanwhile(`${name}.digest`);
      const found = within(entries, range);
      const known = found.filter(({ eventId }) => eventId !== undefined);
      return Promise.resolve({
        count: found.length,
        state: hash(found.map(({ id, version, content }) => [id, version, content])),
        known: known.length,
        events: hash(known.map(({ id, eventId }) => [id, eventId])),
        odd: found.filter((entry) => 'conflict' in entry && entry.conflict).length,
      });
    },
    list(range: IdRange) {
      world.meanwhile(`${name}.list`);
      const found = within(entries, range);
      world.largest = Math.max(world.largest, found.length);
      return Promise.resolve(found);
    },
  });
  return {
    source: {
      ...side('source', world.source),
      find(ids) {
        world.meanwhile('source.find');
        world.largest = Math.max(world.largest, ids.length);
        return Promise.resolve(ids.flatMap((id) => world.source.get(id) ?? []));
      },
    },
    consumer: {
      ...side('consumer', world.consumer),
      holdsUnnamed: () => Promise.resolve(world.unnamed),
      find(ids) {
        world.meanwhile('consumer.find');
        return Promise.resolve(ids.map((id) => world.consumer.get(id) ?? nothing(id)));
      },
    },
  };
}

function openWorld(boards: readonly (readonly [id: string, version: number])[]): World {
  const world: World = {
    source: new Map(),
    consumer: new Map(),
    unread: new Set(),
    unnamed: false,
    largest: 0,
    meanwhile: () => undefined,
  };
  for (const [id, version] of boards) {
    commit(world, id, version);
    apply(world, id);
  }
  return world;
}

function commit(world: World, id: string, version: number): void {
  world.source.set(id, {
    id,
    version,
    content: `${id} ${version}`,
    eventId: `event ${id} ${version}`,
  });
}

function apply(world: World, id: string, changes: Partial<ConsumerEntry> = {}): void {
  const { version = 0, content, eventId } = world.source.get(id) ?? {};
  world.consumer.set(id, { ...nothing(id), version, content, eventId, ...changes });
}

const run = (
  world: World,
  changes: { barrier?: () => Promise<Barrier>; chunkSize?: number; listed?: number } = {},
) =>
  auditConsumer({
    ...ports(world),
    barrier: () => {
      world.meanwhile('barrier');
      return Promise.resolve({ kind: 'passed' });
    },
    findUnread: (places) => {
      world.meanwhile('findUnread');
      return Promise.resolve(new Set([...places].filter((place) => world.unread.has(place))));
    },
    ...changes,
  });

/** What can be wrong with a board, and how the audit must call it. */
const plants: Readonly<
  Record<string, { verdict: Verdict; plant: (world: World, id: string) => void }>
> = {
  lost: {
    verdict: 'LOST',
    plant: (world, id) => commit(world, id, (world.source.get(id)?.version ?? 0) + 1),
  },
  'never applied': { verdict: 'LOST', plant: (world, id) => world.consumer.delete(id) },
  ahead: { verdict: 'AHEAD', plant: (world, id) => apply(world, id, { version: 99 }) },
  phantom: { verdict: 'AHEAD', plant: (world, id) => world.source.delete(id) },
  content: { verdict: 'different', plant: (world, id) => apply(world, id, { content: 'other' }) },
  'other event': {
    verdict: 'conflict',
    plant: (world, id) => apply(world, id, { eventId: 'other' }),
  },
  'conflict dead letter': {
    verdict: 'conflict',
    plant: (world, id) => apply(world, id, { conflict: true }),
  },
  skipped: {
    verdict: 'skipped',
    plant: (world, id) => apply(world, id, { content: 'old', skipped: true }),
  },
  dead: {
    verdict: 'behind a dead letter',
    plant: (world, id) => {
      apply(world, id, { nextDead: true });
      commit(world, id, (world.source.get(id)?.version ?? 0) + 1);
    },
  },
  parked: {
    verdict: 'in flight',
    plant: (world, id) => {
      apply(world, id, { nextParked: true });
      commit(world, id, (world.source.get(id)?.version ?? 0) + 1);
    },
  },
  unread: {
    verdict: 'in flight',
    plant: (world, id) => {
      const version = (world.source.get(id)?.version ?? 0) + 1;
      commit(world, id, version);
      world.unread.add(placeOf(id, version));
    },
  },
};

describe('the audit', () => {
  it('finds exactly what is planted, whatever the chunks', async () => {
    const board = fc.record({
      version: fc.integer({ min: 1, max: 5 }),
      plant: fc.option(fc.constantFrom(...Object.keys(plants)), { nil: undefined, freq: 4 }),
      purged: fc.boolean(),
    });
    const boards = fc.dictionary(fc.stringMatching(/^[a-z0-9]{1,4}$/), board, {
      maxKeys: 40,
      noNullPrototype: true,
    });
    await fc.assert(
      fc.asyncProperty(boards, fc.integer({ min: 1, max: 12 }), async (planned, chunkSize) => {
        const world = openWorld(Object.entries(planned).map(([id, { version }]) => [id, version]));
        const wanted: { id: string; verdict: Verdict }[] = [];
        for (const [id, { plant, purged }] of Object.entries(planned)) {
          const what = plants[plant ?? ''];
          what?.plant(world, id);
          if (what) wanted.push({ id, verdict: what.verdict });
          const entry = world.source.get(id);
          // The conflict of two events shows as long as the outbox has its row.
          if (purged && entry && plant !== 'other event')
            world.source.set(id, { ...entry, eventId: undefined });
        }
        const report = await run(world, { chunkSize, listed: 1_000 });
        expect(report.findings.map(({ id, verdict }) => ({ id, verdict })).sort(byId)).toEqual(
          wanted.sort(byId),
        );
        expect(report.compared).toBe(world.source.size);
        const phantoms = wanted.filter(({ id }) => !world.source.has(id)).length;
        expect(report.inStep).toBe(world.source.size - (wanted.length - phantoms));
        // Whatever differs, a call never sees more than a few chunks.
        expect(world.largest).toBeLessThanOrEqual(3 * chunkSize);
      }),
      { numRuns: 500 },
    );
  });

  it('calls no aggregate lost, ahead or different that changes and is applied during the audit', async () => {
    const seeds = fc.array(fc.nat(), { minLength: 100, maxLength: 100 });
    await fc.assert(
      fc.asyncProperty(seeds, fc.integer({ min: 1, max: 12 }), async (choices, chunkSize) => {
        const ids = Array.from({ length: 30 }, (_, index) => `b${String(index).padStart(2, '0')}`);
        const world = openWorld(ids.map((id) => [id, 1]));
        let step = 0;
        const next = (): number => choices[step++ % choices.length] ?? 0;
        world.meanwhile = (call) => {
          // The barrier: the consumer has all that was committed.
          if (call === 'barrier') for (const id of world.source.keys()) apply(world, id);
          const id = ids[next() % ids.length] ?? '';
          commit(world, id, (world.source.get(id)?.version ?? 0) + 1);
          if (next() % 2 === 0) apply(world, ids[next() % ids.length] ?? '');
        };
        const report = await run(world, { chunkSize });
        expect(report).toMatchObject({ outcome: 'clean', findings: [] });
      }),
      { numRuns: 500 },
    );
  });

  it.each<[string, (world: World) => (call: string) => void]>([
    [
      'moves from parked to a retry topic',
      (world) => {
        apply(world, 'a', { nextParked: true });
        return (call) => {
          if (call !== 'findUnread') return;
          apply(world, 'a', { version: 1 });
          world.unread.add(placeOf('a', 2));
        };
      },
    ],
    [
      'moves from a retry topic to parked',
      (world) => (call) => {
        if (call === 'findUnread') apply(world, 'a', { version: 1, nextParked: true });
      },
    ],
    [
      'is applied from a retry topic, and the one after it is on its way',
      (world) => (call) => {
        if (call === 'findUnread') apply(world, 'a', { version: 2 });
      },
    ],
  ])('does not call lost what %s between its two queries', async (_name, plan) => {
    const world = openWorld([['a', 1]]);
    const meanwhile = plan(world);
    commit(world, 'a', 3);
    world.meanwhile = meanwhile;
    expect((await run(world)).counts).toMatchObject({ LOST: 0, 'in flight': 1 });
  });

  it('calls an aggregate behind a dead letter when its next event becomes one between the two queries', async () => {
    const world = openWorld([['a', 1]]);
    commit(world, 'a', 2);
    world.meanwhile = (call) => {
      if (call === 'findUnread')
        world.consumer.set('a', { ...(world.consumer.get('a') ?? nothing('a')), nextDead: true });
    };
    expect((await run(world)).findings).toEqual([
      { id: 'a', verdict: 'behind a dead letter', version: 2, mark: 1 },
    ]);
  });

  it('cannot tell a lost event from one that an open dead letter without its record may be', async () => {
    const world = openWorld([['a', 1]]);
    commit(world, 'a', 2);
    world.unnamed = true;
    const report = await run(world);
    expect(report).toMatchObject({ outcome: 'incomplete', counts: { LOST: 0, 'cannot tell': 1 } });
    expect(report.cannotTell).toContain('without its record');
  });

  it('is incomplete when the barrier is not passed, also when nothing differs', async () => {
    const world = openWorld([['a', 1]]);
    const barrier = (): Promise<Barrier> =>
      Promise.resolve({ kind: 'cannot-tell', reason: 'no connector' });
    expect(await run(world, { barrier })).toMatchObject({
      outcome: 'incomplete',
      cannotTell: 'no connector',
    });
    commit(world, 'a', 2);
    const report = await run(world, { barrier });
    expect(report).toMatchObject({ outcome: 'incomplete', counts: { LOST: 0, 'cannot tell': 1 } });
  });

  it('is red when the barrier is not passed but something is wrong anyway, and waits only once', async () => {
    const world = openWorld(['a', 'b', 'c', 'd'].map((id) => [id, 1]));
    for (const id of ['a', 'b', 'c', 'd']) apply(world, id, { version: 2 });
    let waits = 0;
    const barrier = (): Promise<Barrier> => {
      waits += 1;
      return Promise.resolve({ kind: 'cannot-tell', reason: 'no connector' });
    };
    expect(await run(world, { barrier, chunkSize: 1 })).toMatchObject({
      outcome: 'red',
      counts: { AHEAD: 4 },
    });
    expect(waits).toBe(1);
  });

  it('lists the first few of each verdict and counts them all', async () => {
    const ids = Array.from({ length: 50 }, (_, index) => `b${String(index).padStart(2, '0')}`);
    const world = openWorld(ids.map((id) => [id, 1]));
    world.consumer.clear();
    const report = await run(world, { chunkSize: 7, listed: 3 });
    expect(report.counts.LOST).toBe(50);
    expect(report.findings.map(({ id }) => id)).toEqual(['b00', 'b01', 'b02']);
  });
});

function byId(a: { id: string }, b: { id: string }): number {
  return a.id < b.id ? -1 : 1;
}
