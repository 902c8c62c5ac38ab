import { randomUUIDv7 } from 'node:crypto';
import { headerNames, type TopicDefinition } from '@board/contracts';
import { createRegistryClient, frame } from '@board/registry';
import avsc from 'avsc';
import type { Message as KafkaMessage } from 'kafkajs';

/** An aggregate that exists in tests only: neither the inbox nor its tests need to know boards. */
export interface ThingChanged {
  /** Two types of the same shape, for what depends on the type of an event. */
  readonly type: 'ThingChanged' | 'ThingRenamed';
  readonly data: { readonly id: string; readonly version: number; readonly text: string };
}

export const thingSchema = JSON.stringify({
  type: 'record',
  name: 'ThingChanged',
  namespace: 'test.things',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'version', type: 'long' },
    { name: 'text', type: 'string', default: '' },
  ],
});

const thingType = avsc.Type.forSchema(JSON.parse(thingSchema) as avsc.Schema);

/** Registers a schema under a subject of its own; returns its id. */
export async function registerSchema(
  registryUrl: string,
  subject: string,
  schema: string,
): Promise<number> {
  const { status, text, json } = await createRegistryClient(registryUrl, {
    timeoutMs: 10_000,
  }).registerSchema(subject, schema);
  const { id } = (json ?? {}) as { id?: number };
  if (status !== 200 || id === undefined)
    throw new Error(`the registry answered ${status}: ${text}`);
  return id;
}

export interface ThingOptions {
  readonly text?: string;
  readonly eventId?: string;
  /** Replaces the encoded value. */
  readonly value?: Buffer | null;
  /** Changes headers; undefined removes one. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

export type ThingRecord = KafkaMessage & {
  readonly key: string;
  readonly headers: Record<string, string>;
};

/** Makes records like those the Event Router writes, for a schema id. */
export function thingRecord(
  schemaId: number,
  id: string,
  version: number,
  options: ThingOptions = {},
): ThingRecord {
  const all = {
    [headerNames.eventId]: options.eventId ?? randomUUIDv7(),
    [headerNames.eventType]: 'ThingChanged',
    [headerNames.aggregateId]: id,
    [headerNames.version]: String(version),
    [headerNames.occurredAt]: String(Date.now() * 1_000),
    ...options.headers,
  };
  const headers = Object.fromEntries(
    Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const value =
    options.value === undefined
      ? frame(schemaId, thingType.toBuffer({ id, version, text: options.text ?? '' }))
      : options.value;
  return { key: id, value, headers };
}

export function testTopic(name: string): TopicDefinition {
  const config = {
    'min.insync.replicas': '2',
    'retention.ms': '-1',
    'message.timestamp.type': 'LogAppendTime',
  };
  return { name, partitions: 3, replicationFactor: 3, config };
}
