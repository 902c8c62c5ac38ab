import { headerNames } from '@board/contracts';
import avsc from 'avsc';
import { probeAggregateId } from './decide/identity.ts';
import type { Delivery } from './delivery.ts';
import { InfrastructureError, InvalidEventError } from './errors.ts';
import type { DecodedEvent, Message } from './handler.ts';
import { headerText } from './record.ts';
import { connectRegistry } from './registry.ts';

/** An event type that this consumer knows, and the Avro schema that it reads it with. */
export interface ReaderSchema {
  readonly eventType: string;
  /** JSON text. */
  readonly schema: string;
}

export interface Decoder<E> {
  /** Fetches the schemas that these deliveries name, before a transaction holds locks; throws InfrastructureError. */
  prepare(deliveries: readonly Delivery[]): Promise<void>;
  /** Decodes without waiting; throws InvalidEventError. */
  toMessage(delivery: Delivery): Message<E>;
  /** An encoded event that means nothing, for the inbox to try itself with. */
  sample(): { readonly eventType: string; readonly value: Buffer };
}

const headerLength = 5;
const sampleSchemaId = -1;
const fetchesAtOnce = 20;

/** Decodes Confluent-framed Avro with the schemas of the registry, into the shapes that this consumer was written for. */
export function createDecoder<E extends DecodedEvent>(
  registryUrl: string,
  readers: readonly ReaderSchema[],
  timeoutMs = 3_000,
): Decoder<E> {
  const registry = connectRegistry(registryUrl, timeoutMs);
  const readerTypes = new Map(
    readers.map(({ eventType, schema }) => [eventType, avsc.Type.forSchema(JSON.parse(schema) as avsc.Schema)]),
  );
  const writers = new Map<number, avsc.Type>();
  // Compiled once per pair: the client would compile it again for each record.
  const resolvers = new Map<string, avsc.Resolver>();

  async function fetchWriter(id: number): Promise<void> {
    try {
      const schema = await registry.find(id);
      if (schema instanceof avsc.Type) writers.set(id, schema);
    } catch (cause) {
      throw new InfrastructureError(`schema ${id} cannot be fetched from the registry`, { cause });
    }
  }

  return {
    sample() {
      const [entry] = readerTypes;
      if (entry === undefined) throw new Error('this consumer knows no event type');
      const [eventType, type] = entry;
      // Under an id that no registry gives: what is tried is the inbox, not the registry.
      const header = Buffer.alloc(headerLength);
      header.writeInt32BE(sampleSchemaId, 1);
      return { eventType, value: Buffer.concat([header, type.toBuffer(type.random())]) };
    },
    async prepare(deliveries) {
      const missing = new Set(
        deliveries
          .flatMap(({ record }) => schemaIds(record.value))
          .filter((id) => id !== sampleSchemaId && !writers.has(id)),
      );
      for (const ids of chunks([...missing], fetchesAtOnce)) await Promise.all(ids.map(fetchWriter));
    },
    toMessage({ record, identity, attempt }) {
      const eventType = headerText(record.headers, headerNames.eventType);
      const reader = eventType === undefined ? undefined : readerTypes.get(eventType);
      if (eventType === undefined || !reader)
        throw new InvalidEventError(
          `event type ${JSON.stringify(eventType)} is not one this consumer knows: ${[...readerTypes.keys()].join(', ')}`,
        );
      const { value } = record;
      if (value === null) throw new InvalidEventError('the value is null');
      if (value.length < headerLength)
        throw new InvalidEventError(`the value has ${value.length} bytes, an Avro record has at least ${headerLength}`);
      if (value[0] !== 0)
        throw new InvalidEventError(`the value's first byte is ${value[0]}, Confluent framing wants 0`);
      const id = value.readInt32BE(1);
      const writer = identity.aggregateId === probeAggregateId && id === sampleSchemaId ? reader : writers.get(id);
      if (!writer) throw new InvalidEventError(`schema id ${id} is not an Avro schema of the registry`);
      try {
        const key = `${eventType} ${id}`;
        const resolver = resolvers.get(key) ?? reader.createResolver(writer);
        resolvers.set(key, resolver);
        const event = {
          type: eventType,
          data: reader.fromBuffer(value.subarray(headerLength), resolver) as unknown,
        } as E;
        return {
          event,
          eventId: identity.eventId,
          aggregateId: identity.aggregateId,
          version: identity.version,
          attempt,
          traceparent: headerText(record.headers, headerNames.traceparent),
        };
      } catch (cause) {
        throw new InvalidEventError(`the value does not decode as ${eventType} with schema id ${id}`, { cause });
      }
    },
  };
}

function schemaIds(value: Buffer | null): number[] {
  return value !== null && value.length >= headerLength && value[0] === 0 ? [value.readInt32BE(1)] : [];
}

function* chunks<Item>(items: readonly Item[], size: number): Generator<readonly Item[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}
