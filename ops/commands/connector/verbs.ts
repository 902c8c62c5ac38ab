import { setTimeout as delay } from 'node:timers/promises';
import { classifyStatus, type ConnectApi, type ConnectorStatus } from '@board/relay';
import { UsageError } from '../../cli/program.ts';
import { nearest } from './definitions.ts';

const pollMs = 250;
/** For a connector to reach the state that was asked for. */
const reachMs = 60_000;

/**
 * Waits until the worker answers with its connectors: it may be starting, or rebalancing. Throws
 * UsageError after `waitMs`.
 */
export async function awaitConnect(api: ConnectApi, waitMs: number): Promise<void> {
  for (const deadline = performance.now() + waitMs; ; await delay(pollMs)) {
    try {
      await api.listNames();
      return;
    } catch (error) {
      if (performance.now() < deadline) continue;
      throw new UsageError(`waited ${waitMs / 1_000} s`, { cause: error });
    }
  }
}

/** The status of a registered connector; throws UsageError, with the nearest names, for others. */
export async function statusOf(api: ConnectApi, name: string): Promise<ConnectorStatus> {
  const status = await api.getStatus(name);
  if (status !== undefined) return status;
  const names = await api.listNames();
  throw new UsageError(`Connect has no connector ${JSON.stringify(name)}; ${nearest(name, names)}`);
}

/** What can be asked of a registered connector. */
export type Verb = 'pause' | 'resume' | 'stop' | 'restart' | 'delete';

/** What a verb is asked to confirm; the others change nothing that the next verb does not undo. */
export const consequences: Partial<Record<Verb, string>> = {
  stop: 'ships nothing until "resume", and its tasks are gone until then',
  delete: 'is no longer registered. Its offsets and topics stay: registered again, it goes on',
};

const done: Readonly<Record<Verb, (status: ConnectorStatus | undefined) => boolean>> = {
  pause: (status) =>
    status?.connector.state === 'PAUSED' && status.tasks.every(({ state }) => state === 'PAUSED'),
  stop: (status) => status?.connector.state === 'STOPPED' && status.tasks.length === 0,
  resume: (status) => classifyStatus(status).kind === 'running',
  restart: (status) => classifyStatus(status).kind === 'running',
  delete: (status) => status === undefined,
};

/**
 * Carries out a verb and returns the state once it is reached. Throws when the connector fails or
 * does not reach it within a minute.
 */
export async function carryOut(api: ConnectApi, verb: Verb, name: string): Promise<string> {
  const before = await statusOf(api, name);
  if (verb === 'restart' && ['STOPPED', 'PAUSED'].includes(before.connector.state))
    throw new Error(`${name} is ${before.connector.state}: "resume" starts it, not "restart"`);
  if (verb === 'delete') await api.remove(name);
  else await api[verb](name);
  for (const deadline = performance.now() + reachMs; ; await delay(pollMs)) {
    const status = await api.getStatus(name);
    if (done[verb](status)) return describeState(status);
    const health = classifyStatus(status);
    const isStarting = verb === 'resume' || verb === 'restart';
    const isLate = performance.now() > deadline;
    // Right after the request Connect may still show the failure from before.
    if (isStarting && health.kind === 'failed' && performance.now() > deadline - reachMs + 5_000)
      throw new Error(`${name} has failed:\n${health.trace}`);
    if (isLate)
      throw new Error(`${name} is ${describeState(status)} ${reachMs / 1_000} s after "${verb}"`);
  }
}

/** `RUNNING, task 0 RUNNING`; `not registered`. */
export function describeState(status: ConnectorStatus | undefined): string {
  if (status === undefined) return 'not registered';
  return [
    status.connector.state,
    ...status.tasks.map(({ id, state }) => `task ${id} ${state}`),
  ].join(', ');
}
