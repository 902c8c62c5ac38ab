import { setTimeout as delay } from 'node:timers/promises';
import { openAdmin, type KafkaAccess } from '@board/kafka';
import type { Admin } from 'kafkajs';
import type { ConnectApi } from './connect-api.ts';
import {
  connectorTopics,
  sendsHeartbeats,
  type ConnectorDefinition,
} from './connector-definition.ts';
import { classifyStatus, type Health } from './connector-status.ts';

export interface ShippingWait {
  readonly api: ConnectApi;
  readonly kafka: KafkaAccess;
  readonly definition: ConnectorDefinition;
  readonly timeoutMs: number;
  readonly report: (line: string) => void;
}

const pollMs = 250;
/** Longer than the connector's heartbeat interval, within which it sends no second one. */
const pushEveryMs = 1_500;
/**
 * Connect may show the old failure for a moment after a restart; once another state was seen, a
 * failure is a new one.
 */
const restartGraceMs = 5_000;

/**
 * Waits until connector and tasks are RUNNING and a heartbeat has arrived since then in the
 * connector's own topic, where no other one writes: `ships`. RUNNING alone proves nothing, since
 * Connect says so also of a connector that cannot write; of one without heartbeats it is all that
 * can be known: `runs`. A failure is restarted once; throws after a second one, or after
 * `timeoutMs`.
 */
export async function waitUntilShipping(wait: ShippingWait): Promise<'ships' | 'runs'> {
  const { api, definition } = wait;
  const deadline = Date.now() + wait.timeoutMs;
  const restart = restartOnce(wait);
  if (sendsHeartbeats(definition)) return waitForRecord(wait, deadline, restart);
  for (;;) {
    const health = classifyStatus(await api.getStatus(definition.name));
    if (health.kind === 'running') return 'runs';
    await restart(health);
    if (Date.now() > deadline) throw new Error(explainTimeout(wait, health));
    await delay(pollMs);
  }
}

/** Restarts what has failed once; throws when it has failed again. */
function restartOnce({ api, definition, report }: ShippingWait): (health: Health) => Promise<void> {
  let restartedAt: number | undefined;
  return async (health) => {
    if (health.kind !== 'failed' && restartedAt !== undefined) restartedAt = 0;
    if (health.kind === 'failed' && restartedAt === undefined) {
      report(`failed, restarting it once: ${firstLine(health.trace)}`);
      await api.restartFailed(definition.name);
      restartedAt = Date.now();
    } else if (health.kind === 'failed' && Date.now() > (restartedAt ?? 0) + restartGraceMs) {
      throw new Error(`${definition.name} has failed, also after a restart:\n${health.trace}`);
    }
  };
}

async function waitForRecord(
  wait: ShippingWait,
  deadline: number,
  restart: (health: Health) => Promise<void>,
): Promise<'ships'> {
  const { api, kafka, definition, report } = wait;
  const { heartbeat } = connectorTopics(definition);
  const admin = await openAdmin(kafka);
  const count = (): Promise<bigint | undefined> => countRecords(admin, [heartbeat]);
  let before: bigint | undefined;
  let pushedAt = 0;

  try {
    for (;;) {
      const health = classifyStatus(await api.getStatus(definition.name));
      await restart(health);

      if (health.kind !== 'running') {
        before = undefined;
      } else if (before === undefined) {
        before = await count();
        if (before !== undefined) report('connector and task are RUNNING, waiting for a heartbeat');
      } else if (((await count()) ?? before) > before) {
        report(`a record has arrived in ${heartbeat}`);
        return 'ships';
      } else if (Date.now() > pushedAt + pushEveryMs) {
        // An idle MySQL server needs a push before the connector sends a heartbeat: a validation is
        // one (`database.initial.statements`).
        await api.validate(definition);
        pushedAt = Date.now();
      }

      if (Date.now() > deadline) throw new Error(explainTimeout(wait, health));
      await delay(pollMs);
    }
  } finally {
    await admin.disconnect();
  }
}

function explainTimeout({ definition, timeoutMs }: ShippingWait, health: Health): string {
  const waited = `${definition.name}: waited ${timeoutMs / 1000} s in vain`;
  if (health.kind === 'waiting') return `${waited}: ${health.state}`;
  if (health.kind === 'failed') return `${waited}: it fails:\n${health.trace}`;
  const { heartbeat } = connectorTopics(definition);
  return (
    `${waited}: it says RUNNING, but nothing arrives in Kafka. Does the topic ${heartbeat} exist, ` +
    `can the task reach MySQL, are the brokers up? The Connect worker's log knows more.`
  );
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text;
}

/**
 * Counts all records that were ever written to these topics; a topic that does not exist has none.
 * Undefined while Kafka cannot answer, as when a topic is so new that its leader is not known
 * everywhere.
 */
export async function countRecords(
  admin: Admin,
  topics: readonly string[],
): Promise<bigint | undefined> {
  try {
    const existing = new Set(await admin.listTopics());
    let records = 0n;
    for (const topic of topics.filter((name) => existing.has(name))) {
      for (const { high } of await admin.fetchTopicOffsets(topic)) records += BigInt(high);
    }
    return records;
  } catch (error) {
    if (error instanceof Error && 'retriable' in error && error.retriable === true)
      return undefined;
    throw error;
  }
}
