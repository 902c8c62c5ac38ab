import { type Corruption, one } from './corrupt.ts';

/** What breaks the rules of check-quiet.ts, each a single one. */
export const quietCorruptions: readonly Corruption[] = [
  {
    rule: 'nothing is left to read',
    name: 'a record that no group has committed',
    apply: ({ evidence }, pick) =>
      one(pick, evidence.groups, (group) => {
        group.end += 1;
      }),
  },
  {
    rule: 'the stack was quiet in time',
    name: 'a stack that was quiet too late',
    apply({ history: { run } }) {
      const { quiescence } = run;
      if (quiescence) quiescence.quietAt = quiescence.lastFaultEndedAt + quiescence.allowedMs + 1;
      return true;
    },
  },
  {
    rule: 'the stack was quiet in time',
    name: 'a stack that was never quiet',
    apply({ history: { run } }) {
      if (run.quiescence) run.quiescence.quietAt = null;
      return true;
    },
  },
  {
    rule: 'the stack was quiet in time',
    name: 'a run that ended early',
    apply({ history: { run } }) {
      run.quiescence = null;
      return true;
    },
  },
  {
    rule: 'a failed connector is started again',
    name: 'a connector that stayed failed',
    apply({ history: { run } }) {
      if (run.quiescence) run.quiescence.failedMs = 41_000;
      return true;
    },
  },
  {
    rule: 'a killed process is ready again in time',
    name: 'a killed process that needed too long',
    apply: ({ history: { faults } }, pick) =>
      one(pick, faults, (fault) => {
        fault.readyAt = (fault.tookAt ?? 0) + 90_001;
      }),
  },
  {
    rule: 'a killed process is ready again in time',
    name: 'a killed process that never came back',
    apply: ({ history: { faults } }, pick) =>
      one(pick, faults, (fault) => {
        fault.readyAt = null;
      }),
  },
];
