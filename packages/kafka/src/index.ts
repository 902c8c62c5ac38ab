export {
  assertTopics,
  listRanges,
  openAdmin,
  withAdmin,
  type AdminOptions,
  type OffsetRange,
} from './admin.ts';
export {
  askBrokers,
  connectKafka,
  createProducer,
  kafkaAccess,
  kafkaFields,
  type KafkaAccess,
} from './connect-kafka.ts';
export { onOffsetReset, type OffsetReset } from './kafkajs-patches.ts';
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
export { openCompactedTopic, readRanges, type CompactedTopic } from './topic-contents.ts';
