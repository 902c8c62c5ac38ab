import { createInterface } from 'node:readline/promises';
import { printable } from '@board/service';
import { UsageError } from './program.ts';

/**
 * Returns when the operator confirms: by `--yes`, else by an answer on the terminal. Throws
 * UsageError when there is no terminal, and an Error when the answer is not yes.
 */
export async function confirm(text: string, yes: true | undefined): Promise<void> {
  if (yes === true) return;
  const question = printable(text);
  if (!process.stdin.isTTY)
    throw new UsageError(`${question} Use --yes: no terminal can be asked.`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`${question} [y/N] `);
  terminal.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new Error('Nothing was changed.');
}

export interface Progress {
  /** A line that begins with a digit may be left out when another one follows soon. */
  print(line: string): void;
  done(): void;
}

/**
 * Progress on standard error: one line that is overwritten in a terminal, a line every ten seconds
 * elsewhere.
 */
export function showProgress(): Progress {
  const { stderr } = process;
  const everyMs = stderr.isTTY ? 100 : 10_000;
  let printedAt = 0;
  let waiting: string | undefined;

  function write(line: string): void {
    printedAt = Date.now();
    waiting = undefined;
    stderr.write(stderr.isTTY ? `\r\x1b[K${line}` : `${line}\n`);
  }

  return {
    print(line) {
      if (Date.now() < printedAt + everyMs && /^\d/.test(line)) waiting = line;
      else write(line);
    },
    done() {
      if (waiting !== undefined) write(waiting);
      if (stderr.isTTY) stderr.write('\n');
    },
  };
}

/**
 * Aborts at the first Ctrl-C or SIGTERM; a second one, more than 500 ms later, ends the process.
 */
export function stopOnSignal(): AbortSignal {
  const stop = new AbortController();
  let stoppedAt = 0;
  const onSignal = (): void => {
    // From a terminal one Ctrl-C comes twice: to this process, and through the launcher.
    if (stop.signal.aborted && Date.now() > stoppedAt + 500) process.exit(130);
    if (!stop.signal.aborted) stoppedAt = Date.now();
    stop.abort();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return stop.signal;
}
