import { expect, it } from 'vitest';
import { rebuildPosition } from './index.ts';

/** A connector in this state, and the calls that it got; each of them fails as often as given. */
function connecting(
  state: 'RUNNING' | 'STOPPED',
  failures: Partial<Record<'deleteOffsets' | 'resume', number>>,
) {
  const calls: string[] = [];
  const left = { deleteOffsets: 0, resume: 0, stop: 0, ...failures };
  const call = (name: keyof typeof left) => async () => {
    if ((left[name] -= 1) >= 0) throw new Error(`Connect refuses ${name}`);
    calls.push(name);
  };
  const getStatus = async (name: string) => ({
    name,
    connector: { state, worker_id: 'w' },
    tasks: [],
  });
  const connect = {
    getStatus,
    stop: call('stop'),
    deleteOffsets: call('deleteOffsets'),
    resume: call('resume'),
  };
  return {
    calls,
    rebuild: (patienceMs = 0) => rebuildPosition(connect, 'board-outbox', patienceMs),
  };
}

it('a connector that was stopped is not resumed with the position that it had', async () => {
  const { calls, rebuild } = connecting('STOPPED', { deleteOffsets: Infinity });
  await expect(rebuild()).rejects.toThrow(/stays STOPPED/);
  expect(calls).toEqual(['stop']);
});

it('a connector that ran is resumed when its position could not be deleted', async () => {
  const { calls, rebuild } = connecting('RUNNING', { deleteOffsets: Infinity });
  await expect(rebuild()).rejects.toThrow('Connect refuses deleteOffsets');
  expect(calls).toEqual(['stop', 'resume']);
});

it.each(['RUNNING', 'STOPPED'] as const)(
  'a %s connector is resumed without its position, also when Connect fails at first',
  async (state) => {
    const { calls, rebuild } = connecting(state, { deleteOffsets: 1, resume: 1 });
    await rebuild(5_000);
    expect(calls).toEqual(['stop', 'deleteOffsets', 'resume']);
  },
);
