// Plain JavaScript: stripping types would cost this thread 15 MB.
import { writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';

const { ticks, limitMs } = workerData;
const looks = 20;

// Counted in looks, not by the clock: after a stop of the whole process the clock has jumped, but both threads go on.
let last = Atomics.load(ticks, 0);
let still = 0;
setInterval(() => {
  const now = Atomics.load(ticks, 0);
  still = now === last ? still + 1 : 0;
  last = now;
  if (still < looks) return;
  writeSync(2, `${JSON.stringify({ level: 60, event: 'process.blocked', limitMs })}\n`);
  process.kill(process.pid, 'SIGKILL');
}, limitMs / looks);
