/**
 * Progress on standard error: one line that renews itself in a terminal, now and then a line
 * elsewhere.
 */
export function showProgress(): { say(line: string): void; done(): void } {
  const { stderr } = process;
  const everyMs = stderr.isTTY ? 100 : 10_000;
  let saidAt = 0;
  let waiting: string | undefined;

  function write(line: string): void {
    saidAt = Date.now();
    waiting = undefined;
    stderr.write(stderr.isTTY ? `\r\x1b[K${line}` : `${line}\n`);
  }

  return {
    say(line) {
      if (Date.now() < saidAt + everyMs && /^\d/.test(line)) waiting = line;
      else write(line);
    },
    done() {
      if (waiting !== undefined) write(waiting);
      if (stderr.isTTY) stderr.write('\n');
    },
  };
}
