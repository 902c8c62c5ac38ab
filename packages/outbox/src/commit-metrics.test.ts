import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { createCommitMetrics } from './commit-metrics.ts';

it('the metrics show each kind of aggregate from the start, apart from the others', async () => {
  const registry = new Registry();
  const metricsOf = createCommitMetrics(registry);
  const [board, comment] = [metricsOf('board'), metricsOf('comment')];
  const value = async (series: string): Promise<string | undefined> =>
    (await registry.metrics()).split('\n').find((line) => line.startsWith(`${series} `));
  for (const name of ['outbox_queue_commands', 'outbox_queue_bytes', 'outbox_transactions_running'])
    expect(await value(`${name}{aggregate="board"}`)).toBe(`${name}{aggregate="board"} 0`);
  expect(await value('outbox_commands_refused_total{aggregate="board"}')).toMatch(/ 0$/);

  board.observeQueue(3, 300);
  board.countRefused();
  const end = comment.observeBatch(2);
  expect(await value('outbox_queue_commands{aggregate="board"}')).toMatch(/ 3$/);
  expect(await value('outbox_queue_commands{aggregate="comment"}')).toMatch(/ 0$/);
  expect(await value('outbox_commands_refused_total{aggregate="board"}')).toMatch(/ 1$/);
  expect(await value('outbox_transactions_running{aggregate="comment"}')).toMatch(/ 1$/);
  end();
  expect(await value('outbox_transactions_running{aggregate="comment"}')).toMatch(/ 0$/);
  expect(await value('outbox_batch_duration_seconds_count{aggregate="comment"}')).toMatch(/ 1$/);
});
