// Plain JavaScript: stripping types would cost this thread 15 MB.
import { writeSync } from 'node:fs';
import { Session } from 'node:inspector';
import { workerData } from 'node:worker_threads';

const { ticks, limitMs } = workerData;
const checks = 20;
/** Native code that does not return cannot be asked. */
const stackWithinMs = 2_000;

// Counts checks, not time: after a stop of the whole process the clock has jumped, but both threads
// go on.
let last = Atomics.load(ticks, 0);
let still = 0;
const checking = setInterval(() => {
  const now = Atomics.load(ticks, 0);
  still = now === last ? still + 1 : 0;
  last = now;
  if (still < checks) return;
  clearInterval(checking);
  setTimeout(() => end([]), stackWithinMs);
  readStack(end);
}, limitMs / checks);

/**
 * Where the main thread is, the innermost call first: the only trace that a process which is killed
 * here leaves.
 */
function readStack(then) {
  const session = new Session();
  session.connectToMainThread();
  session.once('Debugger.paused', ({ params }) =>
    then(
      params.callFrames
        .slice(0, 20)
        .map(
          ({ functionName, url, location }) => `${functionName} ${url}:${location.lineNumber + 1}`,
        ),
    ),
  );
  session.post('Debugger.enable', () => session.post('Debugger.pause'));
}

function end(stack) {
  writeSync(2, `${JSON.stringify({ level: 60, event: 'process.blocked', limitMs, stack })}\n`);
  process.kill(process.pid, 'SIGKILL');
}
