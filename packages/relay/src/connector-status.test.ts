import { describe, expect, it } from 'vitest';
import type { ConnectorStatus } from './index.ts';
import { classifyStatus } from './index.ts';

type State = ConnectorStatus['connector']['state'];

function status(connector: State, ...tasks: State[]): ConnectorStatus {
  return {
    name: 'c',
    connector: { state: connector, worker_id: 'w' },
    tasks: tasks.map((state, id) => ({
      id,
      state,
      worker_id: 'w',
      ...(state === 'FAILED' && { trace: 'why' }),
    })),
  };
}

describe('judgeStatus', () => {
  it('calls a connector running when its task runs too', () => {
    expect(classifyStatus(status('RUNNING', 'RUNNING'))).toEqual({ kind: 'running' });
  });

  it('does NOT call a connector without a task running', () => {
    expect(classifyStatus(status('RUNNING'))).toEqual({
      kind: 'waiting',
      state: 'connector RUNNING, no task',
    });
  });

  it('reports the trace of a task that failed under a connector that runs', () => {
    expect(classifyStatus(status('RUNNING', 'FAILED'))).toEqual({ kind: 'failed', trace: 'why' });
  });

  it.each<State>(['PAUSED', 'STOPPED', 'UNASSIGNED', 'RESTARTING'])(
    'waits while the connector is %s',
    (state) => {
      expect(classifyStatus(status(state, 'RUNNING')).kind).toBe('waiting');
    },
  );

  it('waits for a connector that Connect does not know yet', () => {
    expect(classifyStatus(undefined).kind).toBe('waiting');
  });
});
