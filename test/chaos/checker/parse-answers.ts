import { lineSeparator } from './parse-records.ts';

interface PartitionOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** Of `GetOffsetShell`: one line for each partition, topic:partition:offset. */
export function parseOffsets(output: string): PartitionOffset[] {
  return [...output.matchAll(/^([\w.-]+):(\d+):(\d+)$/gm)].map(
    ([, topic = '', partition, offset]) => ({
      topic,
      partition: Number(partition),
      offset: Number(offset),
    }),
  );
}

/**
 * Of `ConsumerGroupCommand --describe`: what each group has committed, by "group topic partition";
 * a partition without a commit is left out. Throws when the tool could not read them, which it
 * prints while it ends with 0.
 */
export function parseCommitted(output: string): ReadonlyMap<string, number> {
  const [problem] = /^Error: .*$/m.exec(output) ?? [];
  if (problem !== undefined)
    throw new Error(`what the groups have committed is not known: ${problem}`);
  const lines = [...output.matchAll(/^(\S+) +(\S+) +(\d+) +(\d+) /gm)];
  return new Map(
    lines.map(([, group, topic, partition, offset]) => [
      `${group} ${topic} ${partition}`,
      Number(offset),
    ]),
  );
}

/**
 * Of `ConsoleConsumer`: throws when it stopped in the middle, which it says while it ends with 0.
 * That nothing more came is what it was asked to wait for.
 */
export function refuseProblems(topic: string, output: string): void {
  const end = output.lastIndexOf(lineSeparator);
  const said = end === -1 ? output : output.slice(end + lineSeparator.length);
  const problem = said.split('\n').find((line) => /Exception|Error/.test(line) && !isSilence(line));
  if (problem !== undefined)
    throw new Error(`${topic} could not be read to its end: ${problem.slice(0, 500)}`);
}

function isSilence(line: string): boolean {
  return (
    line.includes('Error processing message, terminating consumer process') ||
    line.includes('errors.TimeoutException')
  );
}
