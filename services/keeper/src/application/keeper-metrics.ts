import { Counter, Gauge, type Registry } from 'prom-client';

/** What the jobs report. */
export interface KeeperMetrics {
  leading(isLeading: boolean): void;
  jobDone(job: string): void;
  jobFailed(job: string): void;
  connector(isRunning: boolean): void;
  restarted(): void;
  observed(transactionsBehind: number, hasOpenIncident: boolean): void;
  incidentOpened(): void;
  purged(rows: number, keys: number): void;
  unshipped(rows: number): void;
  trimmed(records: number): void;
}

/** Registers the metrics of the keeper, `keeper_...`. */
export function createKeeperMetrics(registry: Registry): KeeperMetrics {
  const registers = [registry];
  const leading = new Gauge({
    name: 'keeper_leading',
    help: '1 while this instance is the active one',
    registers,
  });
  const done = new Gauge({
    name: 'keeper_job_last_success_timestamp_seconds',
    help: 'When a job was done last',
    labelNames: ['job'],
    registers,
  });
  const failed = new Counter({
    name: 'keeper_job_failures_total',
    help: 'Times that a job could not be done',
    labelNames: ['job'],
    registers,
  });
  const running = new Gauge({
    name: 'keeper_connector_running',
    help: '1 while connector and task run',
    registers,
  });
  const restarts = new Counter({
    name: 'keeper_connector_restarts_total',
    help: 'Restarts of a connector that had failed or stood still',
    registers,
  });
  const behind = new Gauge({
    name: 'keeper_transactions_behind',
    help: 'Transactions of the server that the connector has not acknowledged',
    registers,
  });
  const incident = new Gauge({
    name: 'keeper_incident_open',
    help: '1 while the connector may have passed over something',
    registers,
  });
  // The former name, kept for one release.
  const suspicion = new Gauge({
    name: 'keeper_suspicion_open',
    help: 'The same as keeper_incident_open',
    registers,
  });
  const incidents = new Counter({
    name: 'keeper_position_lost_total',
    help: "Times that the connector's position or the server's history was lost",
    registers,
  });
  const rows = new Counter({
    name: 'keeper_outbox_purged_rows_total',
    help: 'Outbox rows deleted',
    registers,
  });
  const unshipped = new Gauge({
    name: 'keeper_outbox_unshipped_rows',
    help: 'Old outbox rows that the connector has passed and never shipped',
    registers,
  });
  const keys = new Counter({
    name: 'keeper_keys_purged_total',
    help: 'Idempotency keys deleted',
    registers,
  });
  const trimmed = new Counter({
    name: 'keeper_retry_records_trimmed_total',
    help: 'Processed records deleted from retry topics',
    registers,
  });
  return {
    leading: (isLeading) => leading.set(Number(isLeading)),
    jobDone: (job) => done.labels(job).setToCurrentTime(),
    jobFailed: (job) => failed.labels(job).inc(),
    connector: (isRunning) => running.set(Number(isRunning)),
    restarted: () => restarts.inc(),
    observed(transactionsBehind, hasOpenIncident) {
      behind.set(transactionsBehind);
      incident.set(Number(hasOpenIncident));
      suspicion.set(Number(hasOpenIncident));
    },
    incidentOpened: () => incidents.inc(),
    purged(rowCount, keyCount) {
      rows.inc(rowCount);
      keys.inc(keyCount);
    },
    unshipped: (count) => unshipped.set(count),
    trimmed: (records) => trimmed.inc(records),
  };
}
