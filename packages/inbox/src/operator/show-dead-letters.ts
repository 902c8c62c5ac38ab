import type avsc from 'avsc';
import { describeError } from '../errors.ts';
import type { SourceRecord } from '../record.ts';
import { connectRegistry } from '../schemas/schema.ts';
import type { DeadLetterEntry, DeadLetterFilter } from './dead-letter-index.ts';
import { pagesByPosition } from './list-dead-letters.ts';
import type { Operator } from './operator.ts';
import { openDeadLetterReader } from './read-dead-letters.ts';

/** What waits in the database behind a dead letter. */
interface Followers {
  readonly count: number;
  readonly firstVersion: number | null;
  readonly lastVersion: number | null;
}

export interface ShownDeadLetter {
  readonly deadLetter: DeadLetterEntry;
  /** Undefined when the DLQ no longer holds it. */
  readonly record: SourceRecord | undefined;
  readonly payload: Payload | undefined;
  readonly followers: Followers;
}

const deadLettersPerPage = 100;

/**
 * Dead letters with their records from the DLQ, their payload as far as it decodes and what is
 * parked behind them.
 */
export async function* showDeadLetters(
  operator: Operator,
  registryUrl: string,
  filter: DeadLetterFilter,
): AsyncGenerator<ShownDeadLetter> {
  const readPayload = payloadReader(registryUrl);
  const reader = await openDeadLetterReader(operator);
  try {
    for await (const deadLetters of pagesByPosition(operator, filter, deadLettersPerPage)) {
      const records = await reader.read(deadLetters);
      for (const deadLetter of deadLetters) {
        const record = records.get(deadLetter.id);
        yield {
          deadLetter,
          record,
          payload: record && (await readPayload(record.value)),
          followers: await countFollowers(operator, deadLetter),
        };
      }
    }
  } finally {
    await reader.close();
  }
}

async function countFollowers(
  { consumer, dataSource }: Operator,
  { aggregateId, version }: DeadLetterEntry,
): Promise<Followers> {
  if (aggregateId === null || version === null)
    return { count: 0, firstVersion: null, lastVersion: null };
  const [row]: readonly { followers: string; lowest: number | null; highest: number | null }[] =
    await dataSource.query(
      `SELECT COUNT(*) AS followers, MIN(version) AS lowest, MAX(version) AS highest FROM parked FORCE INDEX (PRIMARY)
     WHERE consumer = ? AND aggregatetype = ? AND aggregateid = ? AND version > ?`,
      [consumer.group, consumer.aggregateType, aggregateId, version],
    );
  return {
    count: Number(row?.followers ?? 0),
    firstVersion: row?.lowest ?? null,
    lastVersion: row?.highest ?? null,
  };
}

/** The value of a record as far as it can be read. */
type Payload =
  | { readonly kind: 'decoded'; readonly schemaId: number; readonly event: unknown }
  | { readonly kind: 'raw'; readonly problem: string };

const headerLength = 5;

/**
 * A function that decodes Confluent-framed Avro with the schema that it was written with; it never
 * throws.
 */
function payloadReader(
  registryUrl: string,
  timeoutMs = 3_000,
): (value: Buffer | null) => Promise<Payload> {
  const registry = connectRegistry(registryUrl, timeoutMs);
  const schemas = new Map<number, avsc.Type>();
  return async (value) => {
    if (value === null) return raw('the value is null');
    if (value.length < headerLength || value[0] !== 0)
      return raw(`${value.length} bytes without Confluent framing`);
    const schemaId = value.readInt32BE(1);
    try {
      let schema = schemas.get(schemaId);
      if (schema === undefined) {
        const answer = await registry.schemaOf(schemaId);
        if (answer.kind === 'unknown')
          return raw(`schema id ${schemaId} is not known to the registry`);
        if (answer.kind === 'unusable')
          return raw(`schema id ${schemaId} cannot be used: ${answer.problem}`);
        schema = answer.type;
        schemas.set(schemaId, schema);
      }
      return {
        kind: 'decoded',
        schemaId,
        event: schema.fromBuffer(value.subarray(headerLength)) as unknown,
      };
    } catch (error) {
      return raw(`schema id ${schemaId}: ${describeError(error).message}`);
    }
  };
}

function raw(problem: string): Payload {
  return { kind: 'raw', problem };
}
