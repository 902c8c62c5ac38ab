import { once } from 'node:events';

/** Ends the process once its output is written, with the exit code that is set: a connection that cannot close must not hold it. */
export async function exit(): Promise<never> {
  for (const stream of [process.stdout, process.stderr]) if (stream.writableNeedDrain) await once(stream, 'drain');
  process.exit();
}
