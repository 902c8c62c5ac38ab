import { createRequire } from 'node:module';

const requireFrom = createRequire(import.meta.url);

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
 * kafkajs 2.2.4 sends no heartbeat before the system's clock has passed the last one by the interval. A clock that is set back
 * by an hour so stops them for that hour: the group expels its member after the session timeout, again after each rejoin, and
 * an idle member does not even learn of it. A last heartbeat from the future is taken for one of long ago.
 */
const group = (requireFrom('kafkajs/src/consumer/consumerGroup') as { readonly prototype: ConsumerGroup }).prototype;
const heartbeat = group.heartbeat;
group.heartbeat = function heartbeatWhateverTheClock(options) {
  if (this.lastRequest > Date.now()) this.lastRequest = 0;
  return heartbeat.call(this, options);
};

/** The same for metadata: new partitions and leaders would not be asked for until the clock has caught up. */
const pool = (requireFrom('kafkajs/src/cluster/brokerPool') as { readonly prototype: BrokerPool }).prototype;
const refresh = pool.refreshMetadataIfNecessary;
pool.refreshMetadataIfNecessary = function refreshWhateverTheClock(topics) {
  if ((this.metadataExpireAt ?? 0) > Date.now() + this.metadataMaxAge) this.metadataExpireAt = null;
  return refresh.call(this, topics);
};
