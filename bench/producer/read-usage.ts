import { readFileSync } from 'node:fs';
import type { TestSchema } from '@board/test';

/** Linux counts processor time in hundredths of a second. */
const ticksPerSecond = 100;

/** Processor time of a process so far, in seconds. */
export function readCpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field is the program's name in brackets, which may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Commits of the whole database server so far. */
export async function readCommits({ root }: TestSchema): Promise<number> {
  const [rows] = await root.query("SHOW GLOBAL STATUS LIKE 'Com_commit'");
  return Number((rows as { Value: string }[])[0]?.Value);
}
