import { headerNames } from '@board/contracts';
import { frame, readFrame, schemaIdOf } from '@board/registry';
import { selfTestAggregateId } from '../decide.ts';
import { InfrastructureError, InvalidEventError } from '../errors.ts';
import type { Message } from '../handler.ts';
import { headerText, type Delivery } from '../record.ts';
import { sampleSchemaId, type SchemaResolver } from './resolver.ts';
import type { SchemaUse } from './schema.ts';

export interface Decoder {
  /**
   * Resolves the schemas that these deliveries name, before a transaction holds locks; throws
   * InfrastructureError.
   */
  prepare(deliveries: readonly Delivery[]): Promise<void>;
  /**
   * Decodes without waiting; throws InvalidEventError, and InfrastructureError while its schema is
   * the registry's fault.
   */
  toMessage(delivery: Delivery): Message;
  /** An encoded event that means nothing, for the inbox to try itself with. */
  sample(): { readonly eventType: string; readonly value: Buffer };
}

/**
 * Decodes Confluent-framed Avro with the schemas of the registry, into the shapes that this
 * consumer was written for.
 */
export function createDecoder(schemas: SchemaResolver): Decoder {
  const known = new Set(schemas.eventTypes);

  function useOf({ record: { value, headers }, identity }: Delivery): SchemaUse | undefined {
    const eventType = headerText(headers, headerNames.eventType);
    if (eventType === undefined || !known.has(eventType)) return undefined;
    const schemaId = schemaIdOf(value);
    // No registry gives an id below 0, and one that is asked for it may not say "unknown".
    return schemaId === undefined || schemaId < 0
      ? undefined
      : { eventType, schemaId, aggregateId: identity.aggregateId };
  }

  function decodes(delivery: Delivery, eventType: string): boolean {
    const { value } = delivery.record;
    const use = useOf(delivery);
    if (value === null || use?.eventType !== eventType) return false;
    const framed = readFrame(value);
    if (framed.kind === 'not-framed') return false;
    const found = schemas.find(use);
    if (found?.kind !== 'usable') return false;
    try {
      found.reader.fromBuffer(framed.payload, found.resolver);
      return true;
    } catch {
      return false;
    }
  }

  return {
    sample() {
      const { eventType, value } = schemas.sample();
      return { eventType, value: frame(sampleSchemaId, value) };
    },
    async prepare(deliveries) {
      const open = deliveries.flatMap((delivery) => {
        const use = useOf(delivery);
        return use === undefined || schemas.find(use)?.kind === 'usable' ? [] : [use];
      });
      if (open.length === 0) return;
      await schemas.resolve(open, (eventType) =>
        deliveries.some((delivery) => decodes(delivery, eventType)),
      );
    },
    toMessage(delivery) {
      const { record, identity, attempt } = delivery;
      const eventType = headerText(record.headers, headerNames.eventType);
      if (eventType === undefined || !known.has(eventType))
        throw new InvalidEventError(
          `event type ${JSON.stringify(eventType)} is not one this consumer knows: ${schemas.eventTypes.join(', ')}`,
        );
      const { value } = record;
      if (value === null) throw new InvalidEventError('the value is null');
      const framed = readFrame(value);
      if (framed.kind === 'not-framed') throw new InvalidEventError(framed.problem);
      const { schemaId, payload } = framed;
      if (
        schemaId < 0 &&
        (schemaId !== sampleSchemaId || identity.aggregateId !== selfTestAggregateId)
      )
        throw new InvalidEventError(`schema id ${schemaId} is none that a registry gives`);
      const found = schemas.find({ eventType, schemaId });
      if (found === undefined)
        throw new InfrastructureError(`schema id ${schemaId} of ${eventType} is not resolved yet`);
      // In its turn only, and with the whole batch: what comes before it is read again with it.
      if (found.kind === 'held') throw new InfrastructureError(found.reason);
      if (found.kind === 'invalid') throw new InvalidEventError(found.problem);
      let data: unknown;
      try {
        data = found.reader.fromBuffer(payload, found.resolver);
      } catch (cause) {
        throw new InvalidEventError(
          `the value does not decode as ${eventType} with schema id ${schemaId}`,
          { cause },
        );
      }
      schemas.decoded(eventType);
      return {
        event: { type: eventType, data },
        eventId: identity.eventId,
        aggregateId: identity.aggregateId,
        version: identity.version,
        attempt,
        traceparent: headerText(record.headers, headerNames.traceparent),
      };
    },
  };
}
