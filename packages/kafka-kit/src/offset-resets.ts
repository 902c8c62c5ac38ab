import { createRequire } from 'node:module';

interface OffsetManager {
  readonly groupId: string;
  nextOffset(topic: string, partition: number): { toString(): string };
  setDefaultOffset(place: { readonly topic: string; readonly partition: number }): Promise<void>;
}

/** A group asked for an offset that its partition does not have (any more), and will go on from the earliest. */
export interface OffsetReset {
  readonly topic: string;
  readonly partition: number;
  /** The offset that was asked for. */
  readonly wanted: bigint;
}

const listeners = new Map<string, (reset: OffsetReset) => Promise<void>>();

/** Tells of every reset of a group's offsets in this process before it happens; while the listener throws, none happens. */
export function onOffsetReset(groupId: string, listener: (reset: OffsetReset) => Promise<void>): () => void {
  listeners.set(groupId, listener);
  return () => void listeners.delete(groupId);
}

/**
 * kafkajs 2.2.4 goes on from the earliest offset when the brokers have not the one it asks for, says so in a log line only, and
 * commits -2 over the offset that would show what is missing.
 */
const { prototype } = createRequire(import.meta.url)('kafkajs/src/consumer/offsetManager') as {
  readonly prototype: OffsetManager;
};
const reset = prototype.setDefaultOffset;
prototype.setDefaultOffset = async function tellThenReset(this: OffsetManager, place) {
  const { topic, partition } = place;
  const wanted = BigInt(this.nextOffset(topic, partition).toString());
  await listeners.get(this.groupId)?.({ topic, partition, wanted });
  return reset.call(this, place);
};
