import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { createKeeperMetrics } from './keeper-metrics.ts';

it('shows an open incident under its former name too, for one release', async () => {
  const registry = new Registry();
  createKeeperMetrics(registry).observed(0, true);
  const shown = await registry.metrics();
  expect(shown).toMatch(/^keeper_incident_open 1$/m);
  expect(shown).toMatch(/^keeper_suspicion_open 1$/m);
});
