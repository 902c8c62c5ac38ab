import { findViolation } from './find-violation.ts';

// Runs schedules in a copy of the source; the last line says what one of them breaks, if anything.
const [schedules = '2000', seed = '1'] = process.argv.slice(2);
process.stdout.write(`${(await findViolation(Number(schedules), Number(seed))) ?? 'no violation'}\n`);
// What a violation has cut short may still have a timer.
process.exit();
