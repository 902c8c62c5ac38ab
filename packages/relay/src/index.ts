export { connectApi, type ConnectApi } from './connect-api.ts';
export type { ConnectorOffsets, ConnectorStatus } from './connect-answers.ts';
export { ConnectError } from './connect-error.ts';
export {
  boardOutbox,
  connectorTopics,
  defineConnector,
  eventTopic,
  type ConnectorChanges,
  type ConnectorDefinition,
  type ConnectorTopics,
} from './connector-definition.ts';
export { countRecords } from './count-records.ts';
export { describeConnector, formatReport, type ConnectorReport } from './describe-connector.ts';
export {
  noteGtid,
  pushFence,
  waitForFence,
  waitUntilShipped,
  type FenceWait,
  type GtidSet,
  type RunSql,
} from './fence.ts';
export type { FenceResult } from './judge-fence.ts';
export {
  classifyFailure,
  explainFailure,
  nameCause,
  namesOutbox,
  type Failure,
} from './explain-failure.ts';
export { judgeStatus, type Health } from './judge-status.ts';
export { rebuildPosition } from './rebuild-position.ts';
export { registerConnector, type Registration } from './register.ts';
export { endDdlSkip, isSkippingDdl, readRefusedDdl, skipRefusedDdl } from './skip-refused-ddl.ts';
export { distrust } from './memory/distrust.ts';
export { isWatched } from './memory/is-watched.ts';
export {
  findBeside,
  openSuspicion,
  relayMemory,
  suspect,
  type Finding,
  type RelayMemory,
  type RelayMemoryStore,
  type Seen,
  type Suspicion,
} from './memory/relay-memory.ts';
export { tableIdOf } from './shape/fold-history.ts';
export { openSchemaHistory, type SchemaHistory } from './shape/schema-history.ts';
export { countTransactions } from './watch/count-transactions.ts';
export { judgeLook } from './watch/judge-look.ts';
export { lookAtRelay, type Look } from './watch/look-at-relay.ts';
export { findOtherTable, waitUntilOutboxShipped } from './wait-until-outbox-shipped.ts';
