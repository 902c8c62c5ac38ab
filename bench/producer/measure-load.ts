import autocannon from 'autocannon';
import { readCommits, readCpuSeconds } from './read-usage.ts';
import type { Contender } from './start-contender.ts';

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
 * Posts boards from `clients` connections, each as fast as it is answered; throws when one is not
 * answered 201.
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
