import { about } from './check-commands.ts';
import type { Rule } from './rule.ts';

/** As long as everything has to be quiet after the last fault. */
const readyWithinMs = 90_000;

/**
 * The keeper waits for 25 s at most before it starts a FAILED connector again, and observes it
 * every few seconds.
 */
const restartedWithinMs = 40_000;

/** The stack came to rest by itself, and in time. */
export const quietRules: readonly Rule[] = [
  {
    invariant: 'I8',
    name: 'nothing is left to read',
    evenAmongOthers: false,
    *find({ evidence }) {
      for (const { group, topic, partition, committed, end } of evidence.groups)
        // Beyond it is what came after the end was read.
        if ((committed ?? 0) < end)
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
    // Also while others write to it: it was quiet before the run began.
    evenAmongOthers: true,
    *find({ history }) {
      const { quiescence } = history.run;
      if (quiescence === null) {
        yield about(null, undefined, 'the run ended before it quiesced');
        return;
      }
      const { lastFaultEndedAt, quietAt, allowedMs } = quiescence;
      if (quietAt === null)
        yield about(
          null,
          undefined,
          `the stack was not quiet ${allowedMs} ms after the last fault`,
        );
      else if (quietAt - lastFaultEndedAt > allowedMs)
        yield about(
          null,
          undefined,
          `the stack was quiet after ${quietAt - lastFaultEndedAt} ms, ${allowedMs} ms are allowed`,
        );
    },
  },
  {
    invariant: 'I8',
    name: 'a killed process is ready again in time',
    evenAmongOthers: true,
    *find({ history }) {
      // Of a run that died nothing is known of its last faults.
      if (history.run.quiescence === null) return;
      for (const { id, name, target, tookAt, readyAt } of history.faults) {
        if (name !== 'kill' || tookAt === null) continue;
        const readyMs = readyAt === null ? undefined : readyAt - tookAt;
        if (readyMs === undefined)
          yield about(
            null,
            undefined,
            `${target} was not ready again after the kill of fault ${id}`,
          );
        else if (readyMs > readyWithinMs)
          yield about(
            null,
            undefined,
            `${target} was ready ${readyMs} ms after the kill of fault ${id}, ${readyWithinMs} ms are allowed`,
          );
      }
    },
  },
  {
    invariant: 'I8',
    name: 'a failed connector is started again',
    evenAmongOthers: true,
    *find({ history }) {
      const failedMs = history.run.quiescence?.failedMs ?? 0;
      if (failedMs > restartedWithinMs)
        yield about(
          null,
          undefined,
          `the connector was FAILED for ${failedMs} ms after the last fault`,
        );
    },
  },
];
