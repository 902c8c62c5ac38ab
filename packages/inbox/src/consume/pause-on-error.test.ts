import { createHealth, createLogger } from '@board/service';
import { expect, it } from 'vitest';
import { toHeaders } from '../../test/support/to-headers.ts';
import { InfrastructureError } from '../errors.ts';
import type { Inbox } from '../inbox.ts';
import { defaultSettings } from '../settings.ts';
import { pauseOnError } from './pause-on-error.ts';
import type { Slice } from './process.ts';

const slice: Slice = {
  kind: 'records',
  topic: 'things',
  partition: 2,
  records: [
    {
      origin: { topic: 'things', partition: 2, offset: '0', timestampMs: 0 },
      key: null,
      value: null,
      headers: toHeaders({}),
    },
  ],
};

it('clears the alarm of a partition that is assigned anew, until it waits again', async () => {
  const { alarms } = createHealth();
  const inbox = {
    alarms,
    logger: createLogger({ name: 'test', level: 'silent' }),
    metrics: { waiting: () => undefined },
    settings: defaultSettings,
    random: Math.random,
    store: { describeFault: () => 'the database is away' },
  } as unknown as Inbox;
  const boundary = pauseOnError(
    inbox,
    () => undefined,
    () => Promise.reject(new InfrastructureError('away')),
  );
  const result = await boundary.process(slice);
  expect(result.kind === 'wait' && result.waitMs).toBeGreaterThan(0);
  expect([...alarms.active().keys()]).toEqual(['waiting things/2']);

  boundary.reassigned(() => true);
  expect(alarms.active().size).toBe(0);
  // Still away: the alarm is raised again.
  await boundary.process(slice);
  expect(alarms.active().get('waiting things/2')?.reason).toContain('the database is away');
  boundary.reassigned(() => false);
  expect(alarms.active().size).toBe(0);
});
