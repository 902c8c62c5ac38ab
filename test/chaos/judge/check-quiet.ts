import { about } from './check-commands.ts';
import type { Rule } from './rule.ts';

/** The stack came to rest by itself, and in time. */
export const quietRules: readonly Rule[] = [
  {
    invariant: 'I8',
    name: 'nothing is left to read',
    evenAmongOthers: false,
    *find({ evidence }) {
      for (const { group, topic, partition, committed, end } of evidence.groups)
        if ((committed ?? 0) !== end)
          yield about(
            null,
            undefined,
            `group ${group} has committed ${committed} of ${topic}/${partition}, which ends at ${end}`,
          );
    },
  },
  {
    invariant: 'I8',
    name: 'the stack was quiet in time',
    evenAmongOthers: false,
    *find({ history }) {
      const { drain } = history.run;
      if (drain === null) {
        yield about(null, undefined, 'the run ended before its drain');
        return;
      }
      const { lastFaultEndedAt, quietAt, allowedMs } = drain;
      if (quietAt === null)
        yield about(null, undefined, `the stack was not quiet ${allowedMs} ms after the last fault`);
      else if (quietAt - lastFaultEndedAt > allowedMs)
        yield about(
          null,
          undefined,
          `the stack was quiet after ${quietAt - lastFaultEndedAt} ms, ${allowedMs} ms are allowed`,
        );
    },
  },
];
