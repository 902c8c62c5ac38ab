import { createRequire } from 'node:module';

interface SocketRequest {
  readonly requestTimeout: number;
  timeoutRequest(): void;
}

interface RequestQueue {
  throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  requestTimeoutIntervalId: NodeJS.Timeout | null;
  readonly enforceRequestTimeout: boolean;
  readonly requestTimeout: number;
  readonly maxInFlightRequests: number | null;
  readonly inflight: ReadonlyMap<number, SocketRequest>;
  readonly pending: readonly unknown[];
  isConnected(): boolean;
  destroy(): void;
  checkPendingRequests(): void;
  maybeThrottle(throttleMs: number | null): void;
  canSendSocketRequestImmediately(): boolean;
  scheduleCheckPendingRequests(): void;
  scheduleRequestTimeoutCheck(): void;
}

const { prototype } = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as {
  readonly prototype: RequestQueue;
};

/**
 * kafkajs 2.2.4 re-arms a timer with a negative delay on every idle connection, some 870 times a second
 * (https://github.com/tulios/kafkajs/issues/1751): arm it only while something is pending, and never for less than 10 ms.
 */
prototype.scheduleCheckPendingRequests = function scheduleCheckPendingRequests() {
  if (this.throttleCheckTimeoutId !== null || this.pending.length === 0) return;
  this.throttleCheckTimeoutId = setTimeout(
    () => {
      this.throttleCheckTimeoutId = null;
      this.checkPendingRequests();
    },
    Math.max(10, this.throttledUntil - performance.now()),
  );
};

// By the monotonic clock, as above: by the system's, a clock that is set back would hold requests until it has caught up.
prototype.maybeThrottle = function maybeThrottle(throttleMs) {
  if (throttleMs !== null && throttleMs > 0)
    this.throttledUntil = Math.max(this.throttledUntil, performance.now() + throttleMs);
};
prototype.canSendSocketRequestImmediately = function canSendSocketRequestImmediately() {
  const isFull = this.maxInFlightRequests !== null && this.inflight.size >= this.maxInFlightRequests;
  return !isFull && this.throttledUntil <= performance.now();
};

const checkEveryMs = 100;

/**
 * Counts what a request has waited in ticks of its own timer: by the system's clock, one that is set back would never time a
 * request out, one that is set forward, or a process that was stopped for a while, would time out all of them at once.
 */
prototype.scheduleRequestTimeoutCheck = function scheduleRequestTimeoutCheck() {
  if (!this.enforceRequestTimeout) return;
  this.destroy();
  const waitedMs = new WeakMap<SocketRequest, number>();
  const tickMs = Math.min(this.requestTimeout, checkEveryMs);
  this.requestTimeoutIntervalId = setInterval(() => {
    for (const request of this.inflight.values()) {
      const ms = (waitedMs.get(request) ?? 0) + tickMs;
      waitedMs.set(request, ms);
      if (ms > request.requestTimeout) request.timeoutRequest();
    }
    if (!this.isConnected()) this.destroy();
  }, tickMs);
};
