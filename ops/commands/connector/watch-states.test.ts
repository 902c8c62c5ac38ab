import type { ConnectApi, ConnectorStatus } from '@board/relay';
import { expect, it } from 'vitest';
import { watchStates, type StateChange } from './watch-states.ts';

const running = (name: string, state: 'RUNNING' | 'PAUSED'): ConnectorStatus => ({
  name,
  connector: { state, worker_id: 'w' },
  tasks: [],
});

it('an outage of Connect is reported once, its end too, and no connector counts as gone', async () => {
  const stop = new AbortController();
  // What Connect says each time it is asked; undefined: nothing.
  const answers: (readonly ConnectorStatus[] | undefined)[] = [
    [running('a', 'RUNNING'), running('b', 'RUNNING')],
    undefined,
    undefined,
    [running('a', 'PAUSED')],
  ];
  let now: readonly ConnectorStatus[] = [];
  const api = {
    async listNames() {
      const next = answers.shift();
      if (next === undefined) throw new Error('Connect does not answer');
      now = next;
      return now.map(({ name }) => name);
    },
    getStatus: async (name: string) => now.find((status) => status.name === name),
  } as Partial<ConnectApi> as ConnectApi;
  const seen: string[] = [];
  const report = ({ name, state }: StateChange): void => {
    seen.push(`${name}: ${state}`);
    if (state === 'PAUSED') stop.abort();
  };
  await watchStates(api, [], stop.signal, report, 1);
  expect(seen).toEqual([
    'a: RUNNING',
    'b: RUNNING',
    '(Connect): Connect does not answer',
    '(Connect): answers again',
    'b: not registered',
    'a: PAUSED',
  ]);
});

it('the signal ends it although Connect never answers', async () => {
  const stop = new AbortController();
  const api = {
    listNames: () => new Promise(() => undefined),
  } as Partial<ConnectApi> as ConnectApi;
  const ended = watchStates(api, [], stop.signal, () => undefined, 1);
  stop.abort();
  await ended;
});
