import { readFrame } from '@board/registry';
import type avsc from 'avsc';
import { connectRegistry } from '../registry.ts';
import { describeError } from '../route/describe-error.ts';

/** The value of a record as far as it can be read. */
export type Payload =
  | { readonly kind: 'decoded'; readonly schemaId: number; readonly event: unknown }
  | { readonly kind: 'raw'; readonly problem: string };

/** A function that decodes Confluent-framed Avro with the schema that it was written with; it never throws. */
export function payloadReader(registryUrl: string, timeoutMs = 3_000): (value: Buffer | null) => Promise<Payload> {
  const registry = connectRegistry(registryUrl, timeoutMs);
  const schemas = new Map<number, avsc.Type>();
  return async (value) => {
    if (value === null) return raw('the value is null');
    const framed = readFrame(value);
    if (framed.kind === 'not-framed') return raw(`${value.length} bytes without Confluent framing`);
    const { schemaId, payload } = framed;
    try {
      let schema = schemas.get(schemaId);
      if (schema === undefined) {
        const answer = await registry.schemaOf(schemaId);
        if (answer.kind === 'unknown') return raw(`schema id ${schemaId} is not known to the registry`);
        if (answer.kind === 'unusable') return raw(`schema id ${schemaId} cannot be used: ${answer.problem}`);
        schema = answer.type;
        schemas.set(schemaId, schema);
      }
      return { kind: 'decoded', schemaId, event: schema.fromBuffer(payload) as unknown };
    } catch (error) {
      return raw(`schema id ${schemaId}: ${describeError(error).message}`);
    }
  };
}

function raw(problem: string): Payload {
  return { kind: 'raw', problem };
}
