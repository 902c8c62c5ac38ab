import { expect, test } from 'vitest';
import type { ChaosStack } from './chaos-stack.ts';
import { injectionOf, undoFaults } from './faults.ts';
import type { Ledger } from './ledger.ts';
import type { FaultKind } from './schedule.ts';

const noLedger = {} as Ledger;
const fault = (kind: FaultKind, target: string) => ({
  id: 1,
  kind,
  target,
  atMs: 0,
  forMs: 0,
  how: null,
});

test('a process that was not seen to stop is continued all the same', async () => {
  const thawed: number[] = [];
  const stack = {
    freeze(_name: string, onPid: (pid: number) => void) {
      onPid(7);
      return Promise.reject(new Error('not stopped within 5 s'));
    },
    thaw: (pid: number) => Promise.resolve(thawed.push(pid) > 0),
  } as unknown as ChaosStack;
  const injection = injectionOf(fault('freeze', 'mysql'), stack, noLedger);
  await expect(injection.begin()).rejects.toThrow('not stopped');
  expect(await injection.end()).toBe('continued');
  expect(thawed).toEqual([7]);
});

test('undo continues what is stopped, and puts back the column and the writes', async () => {
  const frozen = new Set([7]);
  let columns = ['id', 'writer'];
  let isReadOnly = true;
  const stack = {
    processes: () => [{ name: 'mysql', pid: 7 }, { name: 'keeper', pid: 8 }, { name: 'connect' }],
    isFrozen: (pid: number) => frozen.has(pid),
    thaw: (pid: number) => Promise.resolve(frozen.delete(pid)),
    query(sql: string, values: readonly string[] = []) {
      if (frozen.has(7)) throw new Error('a stopped server takes no statement');
      if (sql.includes('RENAME COLUMN writer TO author')) columns = ['id', 'author'];
      if (sql.includes('super_read_only = OFF')) isReadOnly = false;
      if (sql.startsWith('DROP') && isReadOnly)
        return Promise.reject(Object.assign(new Error(), { code: 'ER_OPTION_PREVENTS_STATEMENT' }));
      return Promise.resolve(columns.filter((column) => values.includes(column)));
    },
  } as unknown as ChaosStack;
  expect(await undoFaults(stack)).toEqual([
    'mysql continued',
    'catalog.author again',
    'writes are taken',
  ]);
  expect({ frozen: frozen.size, columns, isReadOnly }).toEqual({
    frozen: 0,
    columns: ['id', 'author'],
    isReadOnly: false,
  });
  expect(await undoFaults(stack)).toEqual(['catalog.author again', 'writes are taken']);
});
