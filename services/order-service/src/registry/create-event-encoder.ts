import type { EventSchema } from '@board/contracts';
import { frame } from '@board/registry';
import { UnavailableError } from '@board/service';
import avro from 'avsc';

export interface EventEncoder {
  /** From now on events can be encoded. */
  useIds(idBySubject: ReadonlyMap<string, number>): void;
  /** Until ids are given again, nothing is encoded, for this reason. */
  pause(reason: string): void;
  /**
   * Confluent wire format; throws when the event breaks its schema, and UnavailableError while ids
   * are not known.
   */
  encode(event: { readonly type: string; readonly data: unknown }): Buffer;
}

/** Encodes events with the schemas of `contracts`, under the ids that the registry gave them. */
export function createEventEncoder(schemas: readonly EventSchema[]): EventEncoder {
  const types = new Map<string, { readonly subject: string; readonly type: avro.Type }>();
  for (const { eventType, subject, schema } of schemas) {
    const other = types.get(eventType);
    if (other)
      throw new Error(
        `The event type ${eventType} stands for two schemas: ${other.subject} and ${subject}.`,
      );
    types.set(eventType, { subject, type: avro.Type.forSchema(JSON.parse(schema)) });
  }
  let ids: ReadonlyMap<string, number> | undefined;
  let missing = 'The ids of the event schemas are not known yet: waiting for the registry.';

  return {
    useIds: (idBySubject) => (ids = idBySubject),
    pause(reason) {
      ids = undefined;
      missing = reason;
    },
    encode({ type: eventType, data }) {
      if (!ids) throw new UnavailableError(missing);
      const known = types.get(eventType);
      const id = ids.get(known?.subject ?? '');
      if (!known || id === undefined)
        throw new Error(`There is no registered schema for ${eventType}.`);
      return frame(id, known.type.toBuffer(data));
    },
  };
}
