import { boardTopic, catalogConsumer, headerNames, retryTopicName } from '@board/contracts';
import { connectKafka } from '@board/kafka';
import { createLogger } from '@board/service';
import { runKafkaTool, uniqueName } from '@board/test';

/** One way in which another program writes records into the topics of the pipeline. */
export interface ForeignKind {
  readonly name: string;
  readonly topic: string;
  /** How many records. */
  readonly count: number;
  /** How many of them a broker stores. */
  readonly stored: number;
  /**
   * Writes that many, each with the marker in its value, and resolves when the brokers have
   * answered.
   */
  write(brokers: readonly string[], marker: string, count: number): Promise<void>;
}

const { name: topic } = boardTopic;
const withHeaders = [
  '--reader-property',
  'parse.headers=true',
  '--reader-property',
  'null.marker=NUL',
];

/** Every kind, one after the other. */
export const foreignKinds: readonly ForeignKind[] = [
  ...['gzip', 'snappy', 'lz4', 'zstd'].map((codec) =>
    ofLines(codec, 1, ['--compression-codec', codec]),
  ),
  ofLines('repeated header', 1, withHeaders, 'x:NUL,x:1\t'),
  ofLines('header of a prototype', 1, withHeaders, 'constructor:c\t'),
  ofLines('many headers', 1, withHeaders, `${shortHeaders(8_000)}\t`),
  {
    name: 'too large',
    topic,
    count: 1,
    stored: 0,
    async write(brokers: readonly string[], marker: string) {
      const large = [
        '--compression-codec',
        'gzip',
        '--command-property',
        'max.request.size=20000000',
      ];
      const producing = produce(brokers, topic, `${marker}${'a'.repeat(3_000_000)}\n`, large);
      // The tool ends with 0 or not, by its version; either way it says what the broker answered.
      const said = await producing.catch((error: unknown) => String(error));
      if (!said.includes('RecordTooLargeException'))
        throw new Error(`3 MB of one character were not refused: ${said}`);
    },
  },
  inTransaction('committed transaction', 'commit'),
  inTransaction('aborted transaction', 'abort'),
  inTransaction('open transaction', undefined),
  ofLines('without identity', 100_000, []),
  ofRetry('origin that is no topic', 'kafka_original-topic:한글'),
  ofRetry('origin without such a partition', 'kafka_original-partition:2147483647'),
];

export const foreignKindNames = foreignKinds.map(({ name }) => name);

/** How many dead letters all of them become. */
export const foreignDeadLetters = foreignKinds.reduce((sum, { stored }) => sum + stored, 0);

/** Records that other programs write into the topics of the pipeline, one kind after the other. */
export async function writeForeignRecords(brokers: readonly string[]): Promise<void> {
  for (const kind of foreignKinds) await kind.write(brokers, '', kind.count);
}

function produce(
  brokers: readonly string[],
  to: string,
  input: string,
  args: readonly string[],
): Promise<string> {
  return runKafkaTool('ConsoleProducer', brokers, ['--topic', to, ...args], input);
}

/** The tool ends with 0 although a record was refused. */
async function expectStored(producing: Promise<string>): Promise<void> {
  const said = await producing;
  if (/ERROR|Exception/.test(said))
    throw new Error(`the records were not stored: ${said.slice(-2_000)}`);
}

function ofLines(name: string, count: number, args: readonly string[], head = ''): ForeignKind {
  return {
    name,
    topic,
    count,
    stored: count,
    write: (brokers, marker, lines) =>
      expectStored(produce(brokers, topic, `${head}${marker}boom\n`.repeat(lines), args)),
  };
}

/** A record in a retry topic, made by hand. */
function ofRetry(name: string, origin: string): ForeignKind {
  const retryTopic = retryTopicName(catalogConsumer.group, 1);
  const identity = `${headerNames.eventId}:hand-made,${headerNames.aggregateId}:hand-made,${headerNames.version}:1`;
  return {
    name,
    topic: retryTopic,
    count: 1,
    stored: 1,
    write: (brokers, marker) =>
      expectStored(
        produce(brokers, retryTopic, `${identity},${origin}\t${marker}poison\n`, withHeaders),
      ),
  };
}

function shortHeaders(count: number): string {
  return Array.from({ length: count }, (_, n) => `${n.toString(36)}:`).join(',');
}

/** A record in a transaction; without an end, the transaction is left open. */
function inTransaction(name: string, end: 'commit' | 'abort' | undefined): ForeignKind {
  return {
    name,
    topic,
    count: 1,
    stored: 1,
    async write(brokers, marker) {
      const kafka = connectKafka(
        { brokers },
        'foreign',
        createLogger({ name: 'foreign', level: 'silent' }),
      );
      const producer = kafka.producer({
        transactionalId: uniqueName('foreign'),
        idempotent: true,
        maxInFlightRequests: 1,
        transactionTimeout: 60_000,
      });
      await producer.connect();
      try {
        const transaction = await producer.transaction();
        await transaction.send({ topic, messages: [{ value: `${marker}boom` }] });
        if (end) await transaction[end]();
      } finally {
        await producer.disconnect();
      }
    },
  };
}
