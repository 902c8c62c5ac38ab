import { keeperMemoryTopic } from '@board/contracts';
import { connectKafka, openCompactedTopic, type KafkaAccess } from '@board/kafka';
import { printable } from '@board/service';
import { connectApi, type ConnectApi } from './connect-api.ts';
import { boardOutbox, compareConfig, type ConnectorDefinition } from './connector-definition.ts';
import { findOpenIncident, relayMemory } from './relay-memory.ts';
import { waitUntilShipping } from './wait-until-shipping.ts';

export interface Registration extends KafkaAccess {
  readonly connectUrl: string;
  /** `board-outbox` when not given. */
  readonly definition?: ConnectorDefinition;
  /** For the wait until it ships; 90 s when not given. */
  readonly timeoutMs?: number;
  /** Of the keeper; `keeper-memory` when not given. */
  readonly memoryTopic?: string;
  readonly onProgress?: (line: string) => void;
}

/** Connect does not report what is wrong with a value that comes from its environment. */
const hiddenReasonHint =
  "\nThe reason is in the Connect worker's log only. Most often MySQL is not reachable with the worker's " +
  'CDC_MYSQL_HOST, _PORT, _USER and _PASSWORD, or that user lacks a grant.';

/**
 * Brings a connector into its defined state and returns `ships` once a new record has arrived in
 * Kafka, or `runs` where it sends no heartbeats and RUNNING is all that can be known; safe to call
 * again. One that the keeper has stopped because of its columns stays STOPPED, and `held` is
 * returned. Throws when Connect refuses the definition, or after `timeoutMs`.
 */
export async function registerConnector(
  registration: Registration,
): Promise<'ships' | 'runs' | 'held'> {
  const { connectUrl, definition = boardOutbox, timeoutMs = 90_000 } = registration;
  const api = connectApi(connectUrl);
  const report = (line: string): void =>
    registration.onProgress?.(printable(`${definition.name}: ${line}`));

  await refuseInvalid(api, definition);
  // Also UNASSIGNED: a stopped one is called so for a moment after a change of its configuration,
  // or while Connect rebalances.
  const state = (await api.getStatus(definition.name))?.connector.state ?? 'RUNNING';
  const hold = state === 'RUNNING' ? undefined : await readHold(registration, definition.name);
  await bringIntoState(api, definition, hold, report);
  if (hold !== undefined) return 'held';
  return waitUntilShipping({ api, kafka: registration, definition, timeoutMs, report });
}

async function refuseInvalid(api: ConnectApi, definition: ConnectorDefinition): Promise<void> {
  const errors = await findProblems(api, definition);
  if (errors.length === 0) return;
  const hint = errors.some((error) => error.includes('config provider reference'))
    ? hiddenReasonHint
    : '';
  throw new Error(
    `Connect refuses ${definition.name}, nothing was changed:\n  ${errors.join('\n  ')}${hint}`,
  );
}

/**
 * What Connect finds wrong with a definition, as `key: reason`; a class that is not installed it
 * would answer with 500 and a Java error.
 */
export async function findProblems(
  api: ConnectApi,
  definition: ConnectorDefinition,
): Promise<readonly string[]> {
  const wanted = definition['connector.class'];
  const installed = await api.listPlugins();
  if (installed.some((name) => aliasesOf(name).includes(wanted))) return api.validate(definition);
  return [`connector.class: ${wanted} is not installed; installed: ${installed.join(', ')}`];
}

/** The names by which Connect knows a class: whole, without its package, without `Connector`. */
function aliasesOf(name: string): readonly string[] {
  const simple = name.slice(name.lastIndexOf('.') + 1);
  return [name, simple, simple.replace(/Connector$/, '')];
}

/**
 * Why the keeper has stopped a connector, if it has: resumed as it is, it would ship values under
 * wrong columns.
 */
export async function readHold(
  registration: Pick<Registration, 'memoryTopic' | keyof KafkaAccess>,
  connector: string,
): Promise<string | undefined> {
  const kafka = connectKafka(registration, 'connector-setup');
  const topic = registration.memoryTopic ?? keeperMemoryTopic.name;
  const memory = relayMemory(openCompactedTopic(kafka, topic), connector);
  try {
    const open = findOpenIncident((await memory.read()) ?? {});
    return open?.held === true ? open.reason : undefined;
  } finally {
    await memory.close();
  }
}

async function bringIntoState(
  api: ConnectApi,
  definition: ConnectorDefinition,
  hold: string | undefined,
  report: (line: string) => void,
): Promise<void> {
  const running = await api.getConfig(definition.name);
  const changes = running === undefined ? [] : compareConfig(running, definition);
  const state = (await api.getStatus(definition.name))?.connector.state;

  if (running === undefined) {
    await api.putConfig(definition);
    report('created');
  } else if (changes.length > 0) {
    for (const line of changes) report(line);
    // Stopped first: else the old task's last heartbeat could pass for the new one's.
    await api.stop(definition.name);
    await api.putConfig(definition);
  } else {
    report('configuration unchanged');
  }

  if (hold !== undefined) {
    report(
      `stays STOPPED, the keeper has stopped it: ${hold}. "npm run outbox -- redrive", then "npm run audit"`,
    );
  } else if (changes.length > 0 || state === 'STOPPED' || state === 'PAUSED') {
    await api.resume(definition.name);
    report(
      changes.length > 0 ? 'restarted with the new configuration' : `resumed, it was ${state}`,
    );
  }
}
