import type { ConnectApi, ConnectorOffsets, ConnectorStatus } from './connect-api.ts';
import { explainFailure } from './explain-failure.ts';

/** What a connector does, from its own state and its tasks'. */
export type Health =
  | { readonly kind: 'running' }
  /** On its way, or paused or stopped by hand; `state` says which. */
  | { readonly kind: 'waiting'; readonly state: string }
  | { readonly kind: 'failed'; readonly trace: string };

/** Classifies a connector; without tasks it is not running, whatever its own state says. */
export function classifyStatus(status: ConnectorStatus | undefined): Health {
  if (status === undefined) return { kind: 'waiting', state: 'not there yet' };
  const parts = [status.connector, ...status.tasks];
  const failed = parts.find((part) => part.state === 'FAILED');
  if (failed !== undefined)
    return { kind: 'failed', trace: failed.trace ?? 'Connect gave no trace' };
  if (status.tasks.length > 0 && parts.every((part) => part.state === 'RUNNING'))
    return { kind: 'running' };
  const tasks = status.tasks.map((task) => `task ${task.id} ${task.state}`).join(', ') || 'no task';
  return { kind: 'waiting', state: `connector ${status.connector.state}, ${tasks}` };
}

export interface ConnectorReport {
  readonly name: string;
  readonly isRunning: boolean;
  readonly status: ConnectorStatus | null;
  readonly offsets: ConnectorOffsets;
}

/** Reads state and position of a connector. */
export async function describeConnector(api: ConnectApi, name: string): Promise<ConnectorReport> {
  const status = await api.getStatus(name);
  const offsets = (await api.getOffsets(name)) ?? [];
  return {
    name,
    isRunning: classifyStatus(status).kind === 'running',
    status: status ?? null,
    offsets,
  };
}

/** Formats the report for a terminal. */
export function formatReport({ name, status, offsets }: ConnectorReport): string {
  if (status === null)
    return `${name}: not registered; register it with: npm run connector -- register`;
  const lines = [`${name}: ${status.connector.state} on ${status.connector.worker_id}`];
  if (status.connector.trace) lines.push(status.connector.trace);
  if (status.tasks.length === 0) lines.push('no task');
  for (const task of status.tasks) {
    lines.push(`task ${task.id}: ${task.state}`);
    if (task.trace === undefined) continue;
    lines.push(task.trace.trimEnd());
    const explanation = explainFailure(task.trace);
    // Last, where a screen of Java frames has not pushed it away.
    if (explanation !== undefined) lines.push(explanation);
  }
  for (const { offset } of offsets) {
    if (offset === null) continue;
    lines.push(
      `position: ${offset.file ?? '?'}:${offset.pos ?? '?'}`,
      `gtids: ${offset.gtids ?? 'none'}`,
    );
    if (offset.snapshot !== undefined) lines.push(`snapshot under way: ${offset.snapshot}`);
  }
  return lines.join('\n');
}
