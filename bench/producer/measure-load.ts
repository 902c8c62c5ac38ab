import { readFileSync } from 'node:fs';
import type { TestSchema } from '@board/test';
import autocannon from 'autocannon';
import type { Contender } from './start-contender.ts';

/** One round of one contender. */
export interface Load {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Processor time of the service's process. */
  readonly cpuMsPerRequest: number;
  readonly commitsPerSecond: number;
}

const body = JSON.stringify({
  title: '벤치마크 게시글 🎉',
  content: '안녕하세요. 이것은 벤치마크에 쓰는 본문입니다. '.repeat(6),
  author: '민지',
});

/**
 * Posts boards over `clients` connections, each as fast as it is answered; throws when a request is
 * not answered with 201.
 */
export async function measureLoad(
  contender: Contender,
  clients: number,
  seconds: number,
): Promise<Load> {
  const { url, pid, schema } = contender;
  const before = { cpu: readCpuSeconds(pid), commits: await readCommits(schema) };
  const result = await autocannon({
    url: `${url}/boards`,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
    connections: clients,
    duration: seconds,
  });
  const after = { cpu: readCpuSeconds(pid), commits: await readCommits(schema) };
  const wrong = result.non2xx + result.errors + result.timeouts;
  if (wrong > 0) throw new Error(`${contender.name}: ${wrong} requests were not answered with 201`);
  return {
    requestsPerSecond: result['2xx'] / result.duration,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    cpuMsPerRequest: ((after.cpu - before.cpu) * 1_000) / result['2xx'],
    commitsPerSecond: (after.commits - before.commits) / result.duration,
  };
}

/** Linux counts processor time in hundredths of a second. */
const ticksPerSecond = 100;

/** Processor time of a process so far, in seconds. */
function readCpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field is the program's name in brackets, which may contain spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Commits of the whole database server so far. */
async function readCommits({ root }: TestSchema): Promise<number> {
  const [rows] = await root.query("SHOW GLOBAL STATUS LIKE 'Com_commit'");
  return Number((rows as { Value: string }[])[0]?.Value);
}
