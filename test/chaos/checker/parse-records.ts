import { createHash } from 'node:crypto';
import type { TopicRecord } from './evidence.ts';

/**
 * How Kafka's console consumer must print: bytes as printable ASCII with \xNN for the rest,
 * so that no separator and no null can be mistaken for data. Only header names are printed raw. The
 * literal for null is printed as bytes are, so it must be one that nothing else has.
 */
export const lineSeparator = '\u001e\n';
const separator = { part: '\u001f', header: '\u001d' } as const;
export const nullLiteral = 'null-as-printed-for-the-checker';
const bytes = 'org.apache.kafka.common.serialization.BytesDeserializer';

export const printRecords: readonly string[] = [
  'print.timestamp=true',
  'print.partition=true',
  'print.offset=true',
  'print.headers=true',
  'print.key=true',
  'print.value=true',
  `key.separator=${separator.part}`,
  `line.separator=${lineSeparator}`,
  `headers.separator=${separator.header}`,
  `null.literal=${nullLiteral}`,
  `key.deserializer=${bytes}`,
  `value.deserializer=${bytes}`,
  `headers.deserializer=${bytes}`,
].flatMap((property) => ['--formatter-property', property]);

export const keptHeaders: ReadonlySet<string> = new Set([
  'id',
  'eventType',
  'aggregateId',
  'version',
  'traceparent',
  'occurredAt',
  'retry_topic-attempts',
  'inbox-reason',
  'kafka_dlt-original-topic',
  'kafka_dlt-original-partition',
  'kafka_dlt-original-offset',
]);

/** Records as the console consumer prints them; what it says after the last one is left out. */
export function* parseRecords(topic: string, output: string): Generator<TopicRecord> {
  for (let from = 0; ;) {
    const end = output.indexOf(lineSeparator, from);
    if (end === -1) return;
    yield parseRecord(topic, output.slice(from, end));
    from = end + lineSeparator.length;
  }
}

function parseRecord(topic: string, line: string): TopicRecord {
  const parts = line.split(separator.part);
  const [timestamp = '', partition = '', offset = '', headers = '', key = '', value = ''] = parts;
  const [, appendedAt] = /^\w+:(\d+)$/.exec(timestamp) ?? [];
  if (parts.length !== 6 || appendedAt === undefined)
    throw new Error(
      `a record of ${topic} is printed in ${parts.length} parts, not in 6: ${line.slice(0, 200)}`,
    );
  return {
    topic,
    partition: numberAfter('Partition:', partition),
    offset: numberAfter('Offset:', offset),
    appendedAt: Number(appendedAt),
    key: toBytes(key)?.toString() ?? null,
    headers: parseHeaders(headers),
    digest: digestOf(toBytes(value)),
    foreignId: findMarker(line),
  };
}

function numberAfter(name: string, text: string): number {
  const digits = text.startsWith(name) ? text.slice(name.length) : '';
  if (!/^\d+$/.test(digits))
    throw new Error(`the console consumer printed "${text}" where ${name} must be`);
  return Number(digits);
}

function parseHeaders(text: string): Record<string, string | null> {
  if (text === 'NO_HEADERS') return {};
  const headers: Record<string, string | null> = {};
  const repeated = new Set<string>();
  for (const header of text.split(separator.header)) {
    const colon = header.indexOf(':');
    const name = header.slice(0, colon);
    if (!keptHeaders.has(name)) continue;
    if (name in headers) repeated.add(name);
    headers[name] = toBytes(header.slice(colon + 1))?.toString() ?? null;
  }
  for (const name of repeated) delete headers[name];
  return headers;
}

/** The bytes that Kafka's `Bytes` printed; null for a null. */
function toBytes(printed: string): Buffer | null {
  if (printed === nullLiteral) return null;
  if (!printed.includes('\\')) return Buffer.from(printed, 'latin1');
  const decoded = printed.replaceAll(/\\x([0-9A-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(decoded, 'latin1');
}

function digestOf(value: Buffer | null): string | null {
  return value === null ? null : createHash('sha256').update(value).digest('hex');
}

function findMarker(line: string): number | null {
  const [, id] = /foreign:(\d{1,9}):/.exec(line) ?? [];
  return id === undefined ? null : Number(id);
}
