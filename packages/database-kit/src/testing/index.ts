export { compareInterruptedRuns, type InterruptedRun } from './interrupt-migrations.ts';
