import { waitUntil } from '@board/test';
import { afterAll, afterEach, beforeAll, expect, inject, it } from 'vitest';
import { openInboxLab, readDeadLetters, type InboxLab } from '../support/inbox-lab.ts';
import { appliedVersions, thingLogHandler } from '../support/thing-log.ts';

let lab: InboxLab;
beforeAll(async () => {
  lab = await openInboxLab(inject('stack'));
});
afterEach(() => lab.reset());
afterAll(() => lab.close());

it('parks an undecodable event when its predecessor fails in the same batch, and dead-letters it in its turn', async () => {
  await lab.produce([
    lab.thing('a', 1),
    lab.thing('a', 2),
    lab.thing('a', 3, { value: null }),
    lab.thing('a', 4),
  ]);
  let repaired = false;
  await lab.start(
    thingLogHandler({
      batch: true,
      sabotage: ({ version }) => {
        if (version === 2 && !repaired) throw new Error('planted');
      },
    }),
    // Its first retry comes after the assertions below.
    { settings: { retryBaseMs: 3_000 } },
  );
  await lab.caughtUp();
  expect(await appliedVersions(lab.schema.root)).toEqual(new Map([['a', [1]]]));
  expect(await readDeadLetters(lab)).toEqual([]);
  expect(await lab.rows('SELECT version FROM parked ORDER BY version')).toEqual([
    { version: 3 },
    { version: 4 },
  ]);

  repaired = true;
  await waitUntil(
    'version 2 applied',
    async () => (await appliedVersions(lab.schema.root)).get('a')?.length === 2,
  );
  await waitUntil('version 3 dead-lettered', async () => (await readDeadLetters(lab)).length === 1);
  await waitUntil(
    'version 3 out of parking',
    async () => (await lab.rows('SELECT * FROM parked')).length === 1,
  );
});

it('dead-letters each undecodable event once, although the sweep finds it at the same time', async () => {
  const ids = Array.from({ length: 30 }, (_, index) => `thing-${index}`);
  await lab.produce(ids.flatMap((id) => [lab.thing(id, 1), lab.thing(id, 2, { value: null })]));
  await lab.start(
    thingLogHandler({
      batch: true,
      sabotage: ({ version, attempt }) => {
        if (version === 1 && attempt === 1) throw new Error('planted');
      },
    }),
    { settings: { retryBaseMs: 500, sweepEveryMs: 1 } },
  );
  await waitUntil('every dead letter is out of parking', async () => {
    return (
      (await lab.rows('SELECT * FROM parked')).length === 0 &&
      (await readDeadLetters(lab)).length >= ids.length
    );
  });
  expect(await readDeadLetters(lab)).toHaveLength(ids.length);
});
