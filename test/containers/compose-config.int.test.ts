import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, it, onTestFinished, type TestContext } from 'vitest';
import { z } from 'zod';
import { fetchCompose, type Tool } from './fetch-tool.ts';
import { checkout, readText } from './read-compose.ts';

let compose: Tool;
beforeAll(async () => {
  compose = await fetchCompose();
}, 300_000);

/** `docker compose` as a user without any variable or .env runs it. */
function runCompose(context: TestContext, args: readonly string[], folder = checkout) {
  if (compose.kind === 'missing')
    return context.skip(`docker compose cannot be had: ${compose.problem}`);
  const [program = '', ...first] = compose.command;
  return spawnSync(program, [...first, '--env-file', '/dev/null', ...args], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 60_000,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'] },
  });
}

const kraft = ['-f', 'docker-compose.yml'];
const zookeeper = [...kraft, '-f', 'docker-compose.zookeeper.yml'];
const profiles = [[], ['--profile', 'metrics'], ['--profile', 'commands'], ['--profile', '*']];
const combinations = [kraft, zookeeper].flatMap((files) =>
  profiles.map((profile) => [...files, ...profile].join(' ')),
);

it.for(combinations)('docker compose %s config -q', (args, context) => {
  const { status, stderr } = runCompose(context, [...args.split(' '), 'config', '-q']);
  expect([stderr, status]).toEqual(['', 0]);
});

it('config -q fails on a dependency that is not there', (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'compose-config-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(
    join(folder, 'docker-compose.yml'),
    readText('docker-compose.yml').replaceAll('setup: {', 'stup: {'),
  );
  const { status, stderr } = runCompose(context, ['config', '-q'], folder);
  expect(status).not.toBe(0);
  expect(stderr).toContain('stup');
});

it('with the ZooKeeper flavour nothing of KRaft is left, and no volume is shared', (context) => {
  const merged = z.object({
    services: z.record(
      z.string(),
      z.object({
        image: z.string(),
        command: z
          .array(z.string())
          .nullable()
          .transform((command) => command ?? []),
        volumes: z
          .array(z.object({ type: z.string(), source: z.string(), target: z.string() }))
          .default([]),
      }),
    ),
  });
  const read = (files: readonly string[]) =>
    merged.parse(JSON.parse(runCompose(context, [...files, 'config', '--format', 'json']).stdout))
      .services;
  const [ours, older] = [read(kraft), read(zookeeper)];
  for (const name of ['kafka-1', 'kafka-2', 'kafka-3']) {
    expect([older[name]?.image, older[name]?.command.at(-1)]).toEqual([
      'apache/kafka:3.9.2',
      'zookeeper',
    ]);
  }
  const volumesOf = (services: typeof ours): string[] =>
    Object.values(services).flatMap(({ volumes }) =>
      volumes.filter(({ type }) => type === 'volume').map(({ source }) => source),
    );
  expect(volumesOf(ours).filter((volume) => volumesOf(older).includes(volume))).toEqual([]);
  expect(volumesOf(ours)).toHaveLength(4);
});
