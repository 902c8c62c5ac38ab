import { createRequire } from 'node:module';
import { expect, it, vi } from 'vitest';
import './request-queue-timer.ts';

it('arms NO timer on an idle connection, and one of at least 10 ms while something is pending', () => {
  const RequestQueue = createRequire(import.meta.url)('kafkajs/src/network/requestQueue');
  const timers = vi.spyOn(globalThis, 'setTimeout');
  const logger = { debug: () => undefined };
  const queue = new RequestQueue({ maxInFlightRequests: 1, requestTimeout: 1_000, logger, broker: 'b', clientId: 'c' });
  queue.checkPendingRequests();
  expect(timers).not.toHaveBeenCalled();
  queue.inflight.set(1, {});
  queue.push({ entry: { correlationId: 2 }, expectResponse: true, sendRequest: () => undefined });
  expect(timers).toHaveBeenCalledTimes(1);
  expect(timers.mock.calls[0]?.[1]).toBeGreaterThanOrEqual(10);
  queue.destroy();
  timers.mockRestore();
});
