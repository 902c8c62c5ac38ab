import { availableParallelism, loadavg } from 'node:os';
import { waitUntil } from '@board/test';
import { expect, onTestFinished, test } from 'vitest';
import type { Api } from '../support/fuzz/api.ts';
import { holdDatabase } from '../support/fuzz/hold-database.ts';
import { openInspector } from '../support/fuzz/open-inspector.ts';
import { readResources } from '../support/fuzz/read-resources.ts';
import { runFuzz } from '../support/fuzz/run-fuzz.ts';
import { createWorld } from '../support/fuzz/world.ts';
import { prepareOrderService } from '../support/prepare-order-service.ts';
import { startService } from '../support/start-service.ts';

const full = process.env['TIER'] === 'full';
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000);
const count = Number(process.env['FUZZ_COUNT'] ?? (full ? 100_000 : 5_000));
const pool = 10;

test(
  `${count} valid and invalid requests cause no 5xx but a documented 503, no half of a change and no leak (FUZZ_SEED=${seed})`,
  { timeout: 3_600_000 },
  async () => {
    const { env, root } = await prepareOrderService();
    const inspector = await openInspector();
    const service = await startService({ ...env, ...inspector.env });
    await service.until('service.ready');
    const document = (await (await fetch(`${service.url}/openapi.json`)).json()) as Api;
    // The kinds of aggregates that the fuzz draws and checks: each needs a place in its world.
    const drawn = Object.entries(document.paths).filter(([path]) =>
      /^\/((boards|comments)(\/|$)|$)/.test(path),
    );
    const api = { ...document, paths: Object.fromEntries(drawn) };
    const port = Number(new URL(service.url).port);
    const world = createWorld();
    const fuzz = (from: number, requests: number) =>
      runFuzz(world, { api, port, seed: from, count: requests, clients: 48 });
    const look = () => readResources(service.url, service.pid);

    // What the first requests make the process load and keep is not a leak.
    expect((await fuzz(seed + 1_000_000, 1_000)).failures).toEqual([]);
    await inspector.collectGarbage();
    const before = await look();
    const startedAt = performance.now();
    let blockedMs = 0;
    const watch = setInterval(() => {
      void look().then(
        (now) => (blockedMs = Math.max(blockedMs, now.blockedMs)),
        () => undefined,
      );
    }, 1_000);
    onTestFinished(() => clearInterval(watch));
    const { failures, unanswered } = await fuzz(seed, count);
    clearInterval(watch);
    const seconds = (performance.now() - startedAt) / 1_000;
    const peak = await look();
    expect(failures).toEqual([]);
    expect(service.lines.filter(({ level }) => Number(level) >= 50)).toEqual([]);
    expect((await fetch(`${service.url}/healthz`)).status).toBe(200);
    process.stderr.write(
      `fuzz: FUZZ_SEED=${seed}, ${count} requests in ${seconds.toFixed(1)} s, ${JSON.stringify(world.answers)}, ` +
        `${unanswered} unanswered, event loop blocked ${blockedMs} ms, ${JSON.stringify({ before, peak })}\n`,
    );

    // On an overloaded machine requests also wait for a processor.
    expect(blockedMs).toBeLessThan(
      1_000 * Math.max(1, (loadavg()[0] ?? 0) / availableParallelism()),
    );

    await holdDatabase(root, world);
    await inspector.collectGarbage();
    await waitUntil(
      'everything is let go of',
      async () => {
        const now = await look();
        const [[{ connections }]] = (await root.query(
          'SELECT COUNT(*) AS connections FROM information_schema.processlist WHERE user = ?',
          [env['DATABASE_USER']],
        )) as unknown as [[{ connections: number }]];
        const isBack =
          now.openFiles <= before.openFiles + pool &&
          connections <= pool &&
          now.heapMiB <= before.heapMiB * 1.3 &&
          now.residentMiB <= before.residentMiB * 1.3;
        if (!isBack) throw new Error(JSON.stringify({ before, now, connections }));
        process.stderr.write(`fuzz: afterwards ${JSON.stringify({ ...now, connections })}\n`);
        return true;
      },
      { timeoutMs: 60_000, everyMs: 1_000 },
    );
  },
);
