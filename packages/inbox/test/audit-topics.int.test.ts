import { waitUntil } from '@board/test';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { openInboxLab, type InboxLab } from './support/inbox-lab.ts';
import { thingLogHandler } from './support/thing-log.ts';
import { placeOf } from '../src/audit/audit.ts';
import { auditedTopics, findUnread, waitForGroups } from '../src/audit/topics.ts';

let lab: InboxLab;
beforeAll(async () => {
  lab = await openInboxLab(inject('stack'));
});
afterEach(() => lab.reset());
afterAll(() => lab.close());

const topics = () => auditedTopics(lab.kafka, lab.consumer);
const unread = async (...places: string[]) =>
  [...(await findUnread(lab.kafka, await topics(), new Set(places)))].sort();

describe('the topics of an audited group', () => {
  it('hold an event until its group has passed it; then it does not count', async () => {
    await lab.produce([
      lab.thing('a', 1),
      lab.thing('a', 2),
      lab.thing('b', 1, { headers: { id: undefined } }),
    ]);
    expect(await waitForGroups(lab.kafka, await topics(), 0)).toEqual({
      kind: 'cannot-tell',
      reason: expect.stringContaining(lab.group),
    });
    expect(await unread('a 1', 'a 3', 'b 1')).toEqual(['a 1']);

    const running = await lab.start(thingLogHandler());
    expect(await waitForGroups(lab.kafka, await topics(), 30_000)).toEqual({ kind: 'passed' });
    expect(await unread('a 1', 'a 2')).toEqual([]);
    await running.stop();
    await lab.produce([lab.thing('a', 3)]);
    expect(await unread('a 1', 'a 3')).toEqual(['a 3']);
  });

  it('hold what waits in a retry topic, and the wait goes on until the retry group has passed it', async () => {
    let fails = true;
    const sabotage = (): void => {
      if (fails) throw new Error('planted');
    };
    const settings = { retryBaseMs: 3_000, retryFactor: 1 };
    await lab.start(thingLogHandler({ sabotage }), { settings });
    await lab.produce([lab.thing('a', 1)]);
    await lab.caughtUp();
    expect(await unread(placeOf('a', 1))).toEqual(['a 1']);
    expect(await waitForGroups(lab.kafka, await topics(), 0)).toEqual({
      kind: 'cannot-tell',
      reason: expect.stringContaining(`${lab.group}.retry.`),
    });
    fails = false;
    await waitUntil(
      'nothing is waiting',
      async () => (await waitForGroups(lab.kafka, await topics(), 10_000)).kind === 'passed',
    );
    expect(await unread('a 1')).toEqual([]);
    expect(await lab.rows('SELECT version FROM mark')).toEqual([{ version: 1 }]);
  });
});
