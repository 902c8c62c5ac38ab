import { createRequire } from 'node:module';
import { afterEach, expect, it, vi } from 'vitest';
import './kafkajs-patches.ts';

afterEach(() => vi.useRealTimers());

it('the queue arms no timer on an idle connection, and one of at least 10 ms while something is pending', () => {
  const RequestQueue = createRequire(import.meta.url)('kafkajs/src/network/requestQueue');
  const timers = vi.spyOn(globalThis, 'setTimeout');
  const logger = { debug: () => undefined };
  const queue = new RequestQueue({
    maxInFlightRequests: 1,
    requestTimeout: 1_000,
    logger,
    broker: 'b',
    clientId: 'c',
  });
  queue.checkPendingRequests();
  expect(timers).not.toHaveBeenCalled();
  queue.inflight.set(1, {});
  queue.push({ entry: { correlationId: 2 }, expectResponse: true, sendRequest: () => undefined });
  expect(timers).toHaveBeenCalledTimes(1);
  expect(timers.mock.calls[0]?.[1]).toBeGreaterThanOrEqual(10);
  queue.destroy();
  timers.mockRestore();
});

it('the queue times a request out after its own time, also when the system clock is set meanwhile', () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] });
  const RequestQueue = createRequire(import.meta.url)('kafkajs/src/network/requestQueue');
  const options = {
    maxInFlightRequests: null,
    requestTimeout: 1_000,
    enforceRequestTimeout: true,
    broker: 'b',
  };
  const queue = new RequestQueue({
    ...options,
    clientId: 'c',
    logger: { debug: () => undefined },
    isConnected: () => true,
  });
  const timedOut: string[] = [];
  const request = (name: string) => ({
    requestTimeout: 1_000,
    timeoutRequest: () => timedOut.push(name),
  });
  queue.scheduleRequestTimeoutCheck();
  queue.inflight.set(1, request('first'));
  vi.setSystemTime(Date.now() + 3_600_000);
  vi.advanceTimersByTime(900);
  expect(timedOut).toEqual([]);
  vi.setSystemTime(Date.now() - 7_200_000);
  vi.advanceTimersByTime(200);
  expect(timedOut).toEqual(['first']);
  queue.destroy();
});

it('the queue holds back what a broker throttles, and no longer when the system clock is set back', async () => {
  const RequestQueue = createRequire(import.meta.url)('kafkajs/src/network/requestQueue');
  const logger = { debug: () => undefined };
  const queue = new RequestQueue({
    maxInFlightRequests: null,
    requestTimeout: 1_000,
    logger,
    broker: 'b',
    clientId: 'c',
  });
  queue.maybeThrottle(30);
  expect(queue.canSendSocketRequestImmediately()).toBe(false);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 3_600_000 });
  await vi.waitFor(() => expect(queue.canSendSocketRequestImmediately()).toBe(true));
});
