import { z } from 'zod';
import { configFields, runService, runTask, type Running } from '../../src/index.ts';

const schema = z.object({
  ...configFields.process('example'),
  MODE: configFields.text(),
  SHUTDOWN_DELAY_MS: configFields.shutdownDelayMs(),
});

async function start({
  config,
  logger,
  scope,
  fail,
}: Running<z.output<typeof schema>>): Promise<void> {
  const { MODE } = config;
  const timer = setInterval(() => undefined, 1_000);
  scope.defer('first', () => {
    clearInterval(timer);
    logger.info({ event: 'first.closed' });
  });
  scope.defer('second', async () => {
    if (MODE === 'stuck-close') await new Promise(() => undefined);
    logger.info({ event: 'second.closed' });
  });
  if (MODE === 'throw') throw new Error('thrown');
  logger.info({ event: 'example.started' });
  if (MODE === 'killed') {
    logger.info({ event: 'last.words' });
    process.kill(process.pid, 'SIGKILL');
  }
  if (MODE === 'fail') fail(new Error('failed'));
  if (MODE === 'reject') void Promise.reject(new Error('rejected'));
}

await (process.env['MODE'] === 'task' ? runTask : runService)(schema, start);
