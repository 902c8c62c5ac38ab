import { expect, it } from 'vitest';
import { compareConfig } from './connector-definition.ts';

it('compareConfig lists nothing for equal configurations', () => {
  expect(compareConfig({ a: '1', b: '2' }, { b: '2', a: '1' })).toEqual([]);
});

it('compareConfig lists what is added, removed and changed', () => {
  expect(
    compareConfig({ gone: '1', same: '2', other: '3' }, { same: '2', other: '4', more: '5' }),
  ).toEqual(['- gone = 1', '+ more = 5', '~ other: 3 -> 4']);
});

it('compareConfig hides a password that is written out, and shows a reference to one', () => {
  const lines = compareConfig(
    { 'database.password': 'hunter2' },
    { 'database.password': '${env:CDC_MYSQL_PASSWORD}' },
  );
  expect(lines).toEqual(['~ database.password: (hidden) -> ${env:CDC_MYSQL_PASSWORD}']);
});
