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
export type { FenceResult } from './classify-fence.ts';
export {
  classifyFailure,
  explainFailure,
  nameCause,
  namesOutbox,
  type Failure,
} from './explain-failure.ts';
export { classifyStatus, type Health } from './classify-status.ts';
export { rebuildPosition } from './rebuild-position.ts';
export { registerConnector, type Registration } from './register.ts';
export { endDdlSkip, isSkippingDdl, readRefusedDdl, skipRefusedDdl } from './skip-refused-ddl.ts';
export { findBlockingIncident } from './memory/blocking-incident.ts';
export { isWatched } from './memory/is-watched.ts';
export {
  findBeside,
  findOpenIncident,
  relayMemory,
  createIncident,
  type Finding,
  type RelayMemory,
  type RelayMemoryStore,
  type Seen,
  type Incident,
} from './memory/relay-memory.ts';
export { tableIdOf } from './shape/fold-history.ts';
export { openSchemaHistory, type SchemaHistory } from './shape/schema-history.ts';
export { countTransactions } from './watch/count-transactions.ts';
export { classifyObservation } from './watch/classify-observation.ts';
export { observeRelay, type RelayObservation } from './watch/observe-relay.ts';
export { findOtherTable, waitUntilOutboxShipped } from './wait-until-outbox-shipped.ts';
