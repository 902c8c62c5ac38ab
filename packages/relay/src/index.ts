export {
  connectApi,
  type ConnectApi,
  type ConnectorOffsets,
  type ConnectorStatus,
} from './connect-api.ts';
export { keepTrying, ConnectError } from './connect-request.ts';
export {
  compareConfig,
  boardOutbox,
  connectorTopics,
  defineConnector,
  eventTopic,
  type ConnectorChanges,
  type ConnectorDefinition,
  type ConnectorTopics,
} from './connector-definition.ts';
export {
  classifyStatus,
  describeConnector,
  formatReport,
  type ConnectorReport,
  type Health,
} from './connector-status.ts';
export {
  classifyFailure,
  explainFailure,
  nameCause,
  namesOutbox,
  type Failure,
} from './explain-failure.ts';
export {
  findOtherTable,
  noteGtid,
  pushFence,
  waitForFence,
  waitUntilOutboxShipped,
  waitUntilShipped,
  type FenceResult,
  type FenceWait,
  type GtidSet,
  type RunSql,
} from './fence.ts';
export {
  classifyObservation,
  countTransactions,
  observeRelay,
  type RelayObservation,
} from './observe-relay.ts';
export { rebuildPosition } from './rebuild-position.ts';
export {
  describeHold,
  findProblems,
  readHold,
  refuseInvalid,
  registerConnector,
  type Registration,
} from './register.ts';
export {
  createIncident,
  findBlockingIncident,
  findOpenIncident,
  isWatched,
  mergeFinding,
  relayMemory,
  type Finding,
  type Incident,
  type RelayMemory,
  type RelayMemoryStore,
  type Seen,
} from './relay-memory.ts';
export { openSchemaHistory, tableIdOf, type SchemaHistory } from './schema-history.ts';
export { endDdlSkip, isSkippingDdl, readRefusedDdl, skipRefusedDdl } from './skip-refused-ddl.ts';
export { countRecords } from './wait-until-shipping.ts';
