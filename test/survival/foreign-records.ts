import { boardTopic, catalogGroup, headerNames, retryTopicName } from '@board/contracts';
import { connectKafka } from '@board/kafka-kit';
import { createLogger } from '@board/service-kit';
import { runKafkaTool, uniqueName } from '@board/test';

/** How many dead letters the records below become; the record that is too large is refused by the broker. */
export const foreignDeadLetters = 3 + 2 + 1 + 3 + 100_000 + 2;

/** Records that other programs write into the topics of the pipeline, one kind after the other. */
export async function writeForeignRecords(brokers: readonly string[]): Promise<void> {
  const produce = (topic: string, input: string, ...args: readonly string[]) =>
    runKafkaTool('ConsoleProducer', brokers, ['--topic', topic, ...args], input);
  const withHeaders = ['--reader-property', 'parse.headers=true', '--reader-property', 'null.marker=NUL'];
  const { name: topic } = boardTopic;

  for (const codec of ['lz4', 'snappy', 'zstd']) await produce(topic, 'boom\n', '--compression-codec', codec);
  await produce(topic, 'x:NUL,x:1\tpoison\nconstructor:c\tpoison\n', ...withHeaders);
  const headers = Array.from({ length: 8_000 }, (_, n) => `${n.toString(36)}:`);
  await produce(topic, `${headers.join(',')}\tpoison\n`, ...withHeaders);
  const large = ['--compression-codec', 'gzip', '--command-property', 'max.request.size=20000000'];
  await refuseTooLarge(produce(topic, `${'a'.repeat(3_000_000)}\n`, ...large));
  await writeInTransactions(brokers, topic);
  await produce(topic, 'boom\n'.repeat(100_000));

  const identity = `${headerNames.eventId}:hand-made,${headerNames.aggregateId}:hand-made,${headerNames.version}:1`;
  const origins = ['kafka_original-topic:한글', 'kafka_original-partition:2147483647'];
  const retries = origins.map((origin) => `${identity},${origin}\tpoison\n`).join('');
  await produce(retryTopicName(catalogGroup, 1), retries, ...withHeaders);
}

/** The tool ends with 0 or not, by its version; either way it says what the broker answered. */
async function refuseTooLarge(producing: Promise<string>): Promise<void> {
  const said = await producing.catch((error: unknown) => String(error));
  if (!said.includes('RecordTooLargeException')) throw new Error(`3 MB of one letter were not refused: ${said}`);
}

/** A record in a transaction that is committed, one in an aborted one, one in a transaction that is left open. */
async function writeInTransactions(brokers: readonly string[], topic: string): Promise<void> {
  const kafka = connectKafka({ brokers }, 'foreign', createLogger({ name: 'foreign', level: 'silent' }));
  const producer = kafka.producer({
    transactionalId: uniqueName('foreign'),
    idempotent: true,
    maxInFlightRequests: 1,
    transactionTimeout: 60_000,
  });
  await producer.connect();
  for (const end of ['commit', 'abort', undefined] as const) {
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages: [{ value: 'boom' }] });
    if (end) await transaction[end]();
  }
  await producer.disconnect();
}
