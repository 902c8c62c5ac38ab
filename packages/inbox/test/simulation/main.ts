import { findViolation, traceSchedule } from './find-violation.ts';

// `main.ts SEED PATH` prints the steps of the schedule that a failed run has named. Without a path
// it runs 2,000 schedules, in a copy of the source that has a planted bug; the last line says what
// one of them breaks, if anything.
const [seed = '1', path] = process.argv.slice(2);
const said =
  path === undefined
    ? await findViolation(2_000, Number(seed))
    : await traceSchedule(Number(seed), path);
process.stdout.write(`${said ?? 'no violation'}\n`);
// What a violation has cut short may still have a timer.
process.exit();
