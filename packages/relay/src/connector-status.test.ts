import { describe, expect, it } from 'vitest';
import { classifyStatus, type ConnectorStatus } from './index.ts';

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

describe('classifyStatus', () => {
  it('calls a connector running when its task runs too', () => {
    expect(classifyStatus(status('RUNNING', 'RUNNING'))).toEqual({ kind: 'running' });
  });

  it('does not call a connector without a task running', () => {
    expect(classifyStatus(status('RUNNING'))).toEqual({
      kind: 'waiting',
      state: 'connector RUNNING, no task',
    });
  });

  it('returns the trace of a task that failed while its connector runs', () => {
    expect(classifyStatus(status('RUNNING', 'FAILED'))).toEqual({ kind: 'failed', trace: 'why' });
  });

  it.each<State>(['PAUSED', 'STOPPED', 'UNASSIGNED', 'RESTARTING'])(
    'is waiting while the connector is %s',
    (state) => {
      expect(classifyStatus(status(state, 'RUNNING')).kind).toBe('waiting');
    },
  );

  it('is waiting while Connect does not know the connector', () => {
    expect(classifyStatus(undefined).kind).toBe('waiting');
  });
});
