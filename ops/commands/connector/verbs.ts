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
  // A task that has failed stays so: nothing of it runs either.
  pause: (status) =>
    status?.connector.state === 'PAUSED' && status.tasks.every(({ state }) => state !== 'RUNNING'),
  stop: (status) => status?.connector.state === 'STOPPED' && status.tasks.length === 0,
  resume: (status) => classifyStatus(status).kind === 'running',
  restart: (status) => classifyStatus(status).kind === 'running',
  delete: (status) => status === undefined,
};

/** Throws when a verb is not the right one for the state that a connector is in. */
export function refuseVerb(verb: Verb, { name, connector, tasks }: ConnectorStatus): void {
  const hasFailed = [connector, ...tasks].some(({ state }) => state === 'FAILED');
  const { state } = connector;
  if (verb === 'restart' && (state === 'STOPPED' || state === 'PAUSED'))
    throw new Error(`${name} is ${state}: "resume" starts it, not "restart"`);
  if (verb === 'resume' && hasFailed)
    throw new Error(`${name} has failed: "restart" starts it, not "resume"`);
  if (verb === 'pause' && state === 'STOPPED')
    throw new Error(`${name} is STOPPED already, which is more than paused`);
}

/** For Connect to show the first effect of a request that it has accepted. */
const effectMs = 5_000;

/**
 * Carries out a verb and returns the state once it is reached. Throws when the connector fails or
 * does not reach it within a minute; a Connect that does not answer meanwhile is asked again.
 */
export async function carryOut(
  api: ConnectApi,
  verb: Verb,
  before: ConnectorStatus,
): Promise<string> {
  const { name } = before;
  if (verb === 'delete') await api.remove(name);
  else await api[verb](name);
  const acceptedAt = performance.now();
  let hasChanged = false;
  let problem: unknown;
  for (; ; await delay(pollMs)) {
    const passedMs = performance.now() - acceptedAt;
    try {
      const status = await api.getStatus(name);
      hasChanged ||= JSON.stringify(status) !== JSON.stringify(before);
      // Right after the request Connect may still show the state from before.
      const isNew = hasChanged || passedMs > effectMs;
      if (done[verb](status) && (verb !== 'restart' || isNew)) return describeState(status);
      const health = classifyStatus(status);
      if (verb === 'restart' && isNew && health.kind === 'failed')
        problem = new Error(`${name} has failed:\n${health.trace}`);
      else problem = new Error(`${name} is ${describeState(status)}`);
      if (health.kind === 'failed' && passedMs > 2 * effectMs) throw problem;
    } catch (error) {
      if (error === problem) throw error;
      problem = error;
    }
    if (passedMs > reachMs)
      throw new Error(`"${verb}" was accepted ${reachMs / 1_000} s ago`, { cause: problem });
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
