import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { connectApi, describeConnector, formatReport, registerConnector } from '../src/index.ts';
import { openTemporaryOutbox, type TemporaryOutbox } from './support/open-temporary-outbox.ts';

const stack = inject('stack');
const { connectUrl, brokers } = stack;
const api = connectApi(connectUrl);

let outbox: TemporaryOutbox;
beforeEach(async () => {
  outbox = await openTemporaryOutbox(stack);
});
afterEach(() => outbox.close());

describe('the status of a connector', () => {
  it('says that it is not registered, and how to register it', async () => {
    const report = await describeConnector(api, outbox.definition.name);
    expect(report.isRunning).toBe(false);
    expect(formatReport(report)).toContain('not registered');
  });

  it('shows state and position of one that runs', async () => {
    await registerConnector({ connectUrl, brokers, definition: outbox.definition });
    await expect
      .poll(async () => formatReport(await describeConnector(api, outbox.definition.name)), {
        timeout: 10_000,
      })
      .toMatch(/RUNNING[\s\S]*task 0: RUNNING[\s\S]*gtids: [0-9a-f-]{36}:/);
    expect((await describeConnector(api, outbox.definition.name)).isRunning).toBe(true);
  });

  it('does not call a stopped one running', async () => {
    await registerConnector({ connectUrl, brokers, definition: outbox.definition });
    await api.stop(outbox.definition.name);
    await expect
      .poll(async () => (await describeConnector(api, outbox.definition.name)).isRunning)
      .toBe(false);
  });
});
