import type { ConnectorOffsets, ConnectorStatus } from './connect-answers.ts';
import type { ConnectApi } from './connect-api.ts';
import { explainFailure } from './explain-failure.ts';
import { classifyStatus } from './classify-status.ts';

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

/** The report for human eyes. */
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
