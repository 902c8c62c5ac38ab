import { keeperMemoryTopic } from '@board/contracts';
import { connectKafka, openCompactedTopic, type KafkaAccess } from '@board/kafka';
import { printable } from '@board/service';
import { connectApi, type ConnectApi } from './connect-api.ts';
import { keepTrying } from './connect-request.ts';
import {
  boardOutbox,
  compareConfig,
  hideSecrets,
  type ConnectorDefinition,
} from './connector-definition.ts';
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
  const readOwnHold = () => readHold(registration, definition.name);
  if ((await bringIntoState(api, definition, readOwnHold, report)) === 'held') return 'held';
  return waitUntilShipping({ api, kafka: registration, definition, timeoutMs, report });
}

/** Throws, with every problem, when Connect would refuse a definition; changes nothing. */
export async function refuseInvalid(
  api: ConnectApi,
  definition: ConnectorDefinition,
): Promise<void> {
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
  if (installed.some((name) => aliasesOf(name).includes(wanted))) {
    const problems = await api.validate(definition);
    return problems.map((problem) => hideSecrets(problem, definition));
  }
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
  readOwnHold: () => Promise<string | undefined>,
  report: (line: string) => void,
): Promise<'held' | 'free'> {
  const { name } = definition;
  const running = await api.getConfig(name);
  const changes = running === undefined ? [] : compareConfig(running, definition);
  const state = (await api.getStatus(name))?.connector.state;
  const holdBefore = await readOwnHold();
  // Also UNASSIGNED: a stopped one is called so for a moment after a change of its configuration,
  // or while Connect rebalances. One that was deleted is held as well: its position is the same.
  const hold = state === 'RUNNING' ? undefined : holdBefore;
  if (running === undefined) {
    if (hold !== undefined) return reportHold('is not created', hold, report);
    await api.putConfig(definition);
    report('created');
    return 'free';
  }
  if (changes.length === 0) report('configuration unchanged');
  else await change(api, definition, changes, state === 'RUNNING', report);
  if (hold !== undefined) return reportHold('stays STOPPED', hold, report);
  if (changes.length === 0 && state !== 'STOPPED' && state !== 'PAUSED') return 'free';
  // The keeper may have stopped it meanwhile, which a resume would undo.
  const holdNow = await readOwnHold();
  if (holdNow !== undefined && holdNow !== holdBefore)
    return reportHold('stays STOPPED', holdNow, report);
  await keepTrying(() => api.resume(name));
  report(changes.length > 0 ? 'restarted with the new configuration' : `resumed, it was ${state}`);
  return 'free';
}

/**
 * Stops a connector, changes its configuration and leaves it STOPPED. One that was running is
 * resumed when the change fails: it must not stay STOPPED without a word.
 */
async function change(
  api: ConnectApi,
  definition: ConnectorDefinition,
  changes: readonly string[],
  wasRunning: boolean,
  report: (line: string) => void,
): Promise<void> {
  const { name } = definition;
  for (const line of changes) report(line);
  // Stopped first, and gone: else the old task's last heartbeat could pass for the new one's.
  await api.stop(name);
  try {
    await keepTrying(async () => {
      const status = await api.getStatus(name);
      if (status?.tasks.length !== 0) throw new Error(`the tasks of ${name} have not ended`);
    });
    await api.putConfig(definition);
  } catch (cause) {
    if (wasRunning) await keepTrying(() => api.resume(name));
    const now = wasRunning ? 'was resumed' : 'stays as it was';
    throw new Error(`the configuration of ${name} was not changed, it ${now}`, { cause });
  }
}

function reportHold(what: string, hold: string, report: (line: string) => void): 'held' {
  report(describeHold(what, hold));
  return 'held';
}

/** What a connector that the keeper holds does instead, why, and how the hold ends. */
export function describeHold(what: string, hold: string): string {
  return `${what}, the keeper has stopped it: ${hold}. "npm run outbox -- redrive", then "npm run audit"`;
}
