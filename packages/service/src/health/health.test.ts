import { expect, test } from 'vitest';
import { createAlarms } from './health.ts';

test('an alarm that is raised again renews its reason and keeps its time; cleared and raised, it is a new one', () => {
  let hour = 0;
  const now = () => new Date(Date.UTC(2026, 0, 1, (hour += 1)));
  const alarms = createAlarms(now);
  alarms.raise('gap', 'version 3 is missing');
  const since = alarms.active().get('gap')?.since;
  alarms.raise('gap', 'version 4 is missing');
  expect(alarms.active().get('gap')).toEqual({ reason: 'version 4 is missing', since });
  alarms.clear('gap');
  expect(alarms.active().size).toBe(0);
  alarms.raise('gap', 'version 5 is missing');
  expect(alarms.active().get('gap')?.since).not.toEqual(since);
});
