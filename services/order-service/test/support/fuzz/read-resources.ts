import { readdir } from 'node:fs/promises';

export interface Resources {
  readonly residentMiB: number;
  readonly heapMiB: number;
  readonly openFiles: number;
  /** The longest that the event loop stood still since it was asked last. */
  readonly blockedMs: number;
}

/** What a process holds, by its own metrics and by what the system says of it. */
export async function readResources(url: string, pid: number): Promise<Resources> {
  const metrics = await (
    await fetch(`${url}/metrics`, { headers: { Connection: 'close' } })
  ).text();
  const metric = (name: string): number => {
    const value = new RegExp(`^${name}\\{[^}]*\\} (\\S+)$`, 'm').exec(metrics)?.[1];
    if (value === undefined) throw new Error(`no metric ${name}`);
    return Number(value);
  };
  return {
    residentMiB: Math.round(metric('process_resident_memory_bytes') / 2 ** 20),
    heapMiB: Math.round(metric('nodejs_heap_size_used_bytes') / 2 ** 20),
    openFiles: (await readdir(`/proc/${pid}/fd`)).length,
    blockedMs: Math.round(metric('nodejs_eventloop_lag_max_seconds') * 1_000),
  };
}
