import { expect, it } from 'vitest';
import { compareConfig } from './compare-config.ts';

it('says nothing about equal configurations', () => {
  expect(compareConfig({ a: '1', b: '2' }, { b: '2', a: '1' })).toEqual([]);
});

it('tells what is added, taken away and changed', () => {
  expect(
    compareConfig({ gone: '1', same: '2', other: '3' }, { same: '2', other: '4', more: '5' }),
  ).toEqual(['- gone = 1', '+ more = 5', '~ other: 3 -> 4']);
});

it('NEVER prints a password that somebody wrote out, but prints where one is read from', () => {
  const lines = compareConfig(
    { 'database.password': 'hunter2' },
    { 'database.password': '${env:CDC_MYSQL_PASSWORD}' },
  );
  expect(lines).toEqual(['~ database.password: (hidden) -> ${env:CDC_MYSQL_PASSWORD}']);
});
