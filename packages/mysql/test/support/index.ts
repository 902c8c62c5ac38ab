export { compareInterruptedRuns } from './interrupt-migrations.ts';
export { costlier, measureQuery, measureReads, type StatementCost } from './measure-reads.ts';
