import { createRequire } from 'node:module';
import { readRecordBatches, type Fetched } from './record-batches.ts';

// kafkajs 2.2.4 is no longer released. What it does wrong is replaced here, once for the process,
// before any client is made.

const require = createRequire(import.meta.url);

interface Decoder {
  readInt32(): number;
  canReadBytes(length: number): boolean;
  readBytes(length: number): Buffer;
}

interface Broker {
  fetch(request: object): Promise<unknown>;
  listOffsets(request: object): Promise<unknown>;
}

/**
 * kafkajs 2.2.4 ends the consumer at a codec other than gzip, reads headers in quadratic time and
 * into a plain object (a header named `constructor` gives a function), and hides the offsets of
 * transaction markers, so that they are never committed. Its reader of record batches is replaced
 * before any response loads it.
 */
const decodeMessages = require.resolve('kafkajs/src/protocol/requests/fetch/v4/decodeMessages');
require(decodeMessages);
const cached = require.cache[decodeMessages];
if (cached === undefined) throw new Error('kafkajs has no reader of record batches where it was');
cached.exports = async (decoder: Decoder): Promise<Fetched[]> => {
  const size = decoder.readInt32();
  return size > 0 && decoder.canReadBytes(size) ? readRecordBatches(decoder.readBytes(size)) : [];
};

/**
 * Everything reads uncommitted, up to the high watermark: an outbox row is committed in MySQL
 * whatever its Kafka transaction does, and behind a transaction that hangs a reader of committed
 * records would stand still and believe that it has no lag.
 */
const broker = (require('kafkajs/src/broker') as { readonly prototype: Broker }).prototype;
const readUncommitted = 0;
for (const name of ['fetch', 'listOffsets'] as const) {
  const send = broker[name];
  broker[name] = function sendUncommitted(this: Broker, request: object) {
    return send.call(this, { ...request, isolationLevel: readUncommitted });
  };
}

interface ConsumerGroup {
  /** When the last heartbeat was sent, by the system's clock. */
  lastRequest: number;
  heartbeat(options: { readonly interval: number }): Promise<void>;
}

interface BrokerPool {
  /** By the system's clock. */
  metadataExpireAt: number | null;
  readonly metadataMaxAge: number;
  refreshMetadataIfNecessary(topics: readonly string[]): Promise<void>;
}

/**
 * kafkajs 2.2.4 sends no heartbeat before the system's clock has passed the last one by the
 * interval. A clock that is set back by an hour so stops them for that hour: the group expels its
 * member after the session timeout, again after each rejoin, and an idle member does not even learn
 * of it. A last heartbeat from the future is taken for one of long ago.
 */
const group = (
  require('kafkajs/src/consumer/consumerGroup') as { readonly prototype: ConsumerGroup }
).prototype;
const heartbeat = group.heartbeat;
group.heartbeat = function heartbeatAtAnyClock(options) {
  if (this.lastRequest > Date.now()) this.lastRequest = 0;
  return heartbeat.call(this, options);
};

/**
 * The same for metadata: new partitions and leaders would not be asked for until the clock has
 * caught up.
 */
const pool = (require('kafkajs/src/cluster/brokerPool') as { readonly prototype: BrokerPool })
  .prototype;
const refresh = pool.refreshMetadataIfNecessary;
pool.refreshMetadataIfNecessary = function refreshAtAnyClock(topics) {
  if ((this.metadataExpireAt ?? 0) > Date.now() + this.metadataMaxAge) this.metadataExpireAt = null;
  return refresh.call(this, topics);
};

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

const queue = (require('kafkajs/src/network/requestQueue') as { readonly prototype: RequestQueue })
  .prototype;

/**
 * kafkajs 2.2.4 re-arms a timer with a negative delay on every idle connection, some 870 times a
 * second (https://github.com/tulios/kafkajs/issues/1751): arm it only while something is pending,
 * and never for less than 10 ms.
 */
queue.scheduleCheckPendingRequests = function scheduleCheckPendingRequests() {
  if (this.throttleCheckTimeoutId !== null || this.pending.length === 0) return;
  this.throttleCheckTimeoutId = setTimeout(
    () => {
      this.throttleCheckTimeoutId = null;
      this.checkPendingRequests();
    },
    Math.max(10, this.throttledUntil - performance.now()),
  );
};

// By the monotonic clock, as above: by the system's, a clock that is set back would hold requests
// until it has caught up.
queue.maybeThrottle = function maybeThrottle(throttleMs) {
  if (throttleMs !== null && throttleMs > 0)
    this.throttledUntil = Math.max(this.throttledUntil, performance.now() + throttleMs);
};
queue.canSendSocketRequestImmediately = function canSendSocketRequestImmediately() {
  const isFull =
    this.maxInFlightRequests !== null && this.inflight.size >= this.maxInFlightRequests;
  return !isFull && this.throttledUntil <= performance.now();
};

const checkEveryMs = 100;

/**
 * Counts what a request has waited in ticks of its own timer: by the system's clock, one that is
 * set back would never time a request out, one that is set forward, or a process that was stopped
 * for a while, would time out all of them at once.
 */
queue.scheduleRequestTimeoutCheck = function scheduleRequestTimeoutCheck() {
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

interface OffsetManager {
  readonly groupId: string;
  nextOffset(topic: string, partition: number): { toString(): string };
  setDefaultOffset(place: { readonly topic: string; readonly partition: number }): Promise<void>;
}

/**
 * A group asked for an offset that its partition does not have (any more), and will go on from the
 * earliest.
 */
export interface OffsetReset {
  readonly topic: string;
  readonly partition: number;
  /** The offset that was asked for. */
  readonly wanted: bigint;
}

const listeners = new Map<string, (reset: OffsetReset) => Promise<void>>();

/**
 * Calls the listener before every reset of a group's offsets in this process; while the listener
 * throws, no reset happens. Returns what removes the listener.
 */
export function onOffsetReset(
  groupId: string,
  listener: (reset: OffsetReset) => Promise<void>,
): () => void {
  listeners.set(groupId, listener);
  return () => void listeners.delete(groupId);
}

/**
 * kafkajs 2.2.4 goes on from the earliest offset when the brokers have not the one it asks for,
 * reports it in a log line only, and commits -2 over the offset that would show what is missing.
 */
const offsets = (
  require('kafkajs/src/consumer/offsetManager') as { readonly prototype: OffsetManager }
).prototype;
const reset = offsets.setDefaultOffset;
offsets.setDefaultOffset = async function reportThenReset(this: OffsetManager, place) {
  const { topic, partition } = place;
  const wanted = BigInt(this.nextOffset(topic, partition).toString());
  await listeners.get(this.groupId)?.({ topic, partition, wanted });
  return reset.call(this, place);
};
