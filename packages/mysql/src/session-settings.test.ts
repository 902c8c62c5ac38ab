import { expect, test } from 'vitest';
import { findWrongSettings, pinnedVariables, type ServerVariable } from './session-settings.ts';

const right: readonly ServerVariable[] = Object.entries({
  sync_binlog: '1',
  innodb_flush_log_at_trx_commit: '1',
  log_bin: 'ON',
  binlog_format: 'ROW',
  binlog_row_image: 'FULL',
  binlog_order_commits: 'ON',
  gtid_mode: 'ON',
  sql_log_bin: 'ON',
  ...Object.fromEntries(Object.entries(pinnedVariables).map(([name, { value }]) => [name, value])),
}).map(([Variable_name, Value]) => ({ Variable_name, Value }));

test('findWrongSettings accepts a right server, in upper or lower case and without the deprecated binlog_format', () => {
  expect(findWrongSettings(right)).toEqual([]);
  expect(
    findWrongSettings(right.map((row) => ({ ...row, Value: row.Value.toLowerCase() }))),
  ).toEqual([]);
  expect(
    findWrongSettings(right.filter(({ Variable_name }) => Variable_name !== 'binlog_format')),
  ).toEqual([]);
});

test('findWrongSettings names each setting that is wrong', () => {
  const changed = right.map((row) =>
    row.Variable_name === 'sync_binlog' ? { ...row, Value: '0' } : row,
  );
  expect(findWrongSettings(changed)).toEqual(['sync_binlog is 0, must be 1']);
});

test('a setting that is missing in the answer is wrong: an empty answer proves nothing', () => {
  expect(
    findWrongSettings(right.filter(({ Variable_name }) => Variable_name !== 'gtid_mode')),
  ).toEqual(['gtid_mode is not reported by the server, must be ON']);
  expect(findWrongSettings([])).toHaveLength(right.length - 1);
});
