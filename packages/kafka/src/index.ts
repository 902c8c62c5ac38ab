export {
  assertTopics,
  listRanges,
  openAdmin,
  withAdmin,
  type AdminOptions,
  type OffsetRange,
} from './admin.ts';
export { openCompactedTopic, type CompactedTopic } from './compacted-topic.ts';
export {
  askBrokers,
  connectKafka,
  createProducer,
  kafkaAccess,
  kafkaFields,
  type KafkaAccess,
} from './connect-kafka.ts';
export { onOffsetReset, type OffsetReset } from './kafkajs-patches.ts';
export { readRanges } from './read-ranges.ts';
export {
  fetchedIn,
  type Fetched,
  type FetchedRecord,
  type UndecodableBatch,
} from './record-batches.ts';
export {
  maxHeaders,
  readHeaders,
  writeHeaders,
  type Header,
  type RecordHeaders,
} from './record-headers.ts';
