import { relayMemory, type RelayMemoryStore } from '@board/relay';
import { connectKafka, openCompactedTopic } from '@board/kafka';
import type { StackAddresses } from '@board/test';
import { openMemoryTopic } from '../../../../packages/relay/test/support/open-memory-topic.ts';
import {
  openTemporaryOutbox,
  type TemporaryOutbox,
} from '../../../../packages/relay/test/support/open-temporary-outbox.ts';

/**
 * An outbox with a connector and a keeper's memory of one test; the connector is not registered
 * yet.
 */
export interface RelayLab {
  readonly outbox: TemporaryOutbox;
  readonly memoryTopic: string;
  readonly memory: RelayMemoryStore;
  close(): Promise<void>;
}

export async function openRelayLab(
  stack: StackAddresses,
  options: { mysql?: StackAddresses['mysql'] } = {},
): Promise<RelayLab> {
  const outbox = await openTemporaryOutbox({ ...stack, ...options });
  const topic = await openMemoryTopic(stack);
  const memory = relayMemory(
    openCompactedTopic(connectKafka(stack, 'test-memory'), topic.name),
    outbox.definition.name,
  );
  return {
    outbox,
    memoryTopic: topic.name,
    memory,
    async close() {
      await memory.close();
      await topic.close();
      await outbox.close();
    },
  };
}
