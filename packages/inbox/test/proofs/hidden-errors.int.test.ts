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

it('moves no mark without its effect when a handler hides the end of its transaction', async () => {
  let hidden = 0;
  await lab.start({
    afterDeadLetter: 'block',
    async handle(message, tx, signal) {
      await thingLogHandler().handle(message, tx, signal);
      // What a deadlock does to a transaction, and what a handler does that catches the error and
      // goes on.
      if (message.version === 2 && hidden++ === 0) await tx.query('ROLLBACK');
    },
  });
  await lab.produce([1, 2, 3].map((version) => lab.thing('a', version)));
  await waitUntil(
    'the mark at 3',
    async () => (await lab.rows('SELECT * FROM mark WHERE version = 3')).length === 1,
  );
  expect(hidden).toBeGreaterThan(0);
  expect(await appliedVersions(lab.schema.root)).toEqual(new Map([['a', [1, 2, 3]]]));
});

it('makes a conflict of a parked event whose place another one has taken', async () => {
  await lab.start(thingLogHandler());
  await lab.produce([lab.thing('a', 1), lab.thing('a', 3, { eventId: 'parked' })]);
  await lab.caughtUp();
  // Both in one batch: the version that fills the gap, and another claim to the place of the parked
  // one.
  await lab.produce([lab.thing('a', 2), lab.thing('a', 3, { eventId: 'second' })]);
  await lab.caughtUp();
  const effects = await lab.rows<{ event_id: string }>(
    'SELECT event_id FROM thing_log WHERE version = 3',
  );
  const deadLetters = await readDeadLetters(lab);
  expect(
    [
      ...effects.map((row) => row.event_id),
      ...deadLetters.map(({ headers }) => headers['id']),
    ].toSorted(),
  ).toEqual(['parked', 'second']);
});
