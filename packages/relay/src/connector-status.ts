import type { ConnectorStatus } from './connect-answers.ts';

export type Health =
  | { readonly kind: 'running' }
  /** On its way, or paused or stopped by hand; `state` says which. */
  | { readonly kind: 'waiting'; readonly state: string }
  | { readonly kind: 'failed'; readonly trace: string };

/** A connector without tasks does nothing, whatever its own state says. */
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
