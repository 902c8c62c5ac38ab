import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { checkout } from './read-compose.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'start-broker-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const writtenBy = {
  kraft: '#\nnode.id=1\nversion=1\ncluster.id=AUJvYXJkUGlwZWxpbmUwMQ\n',
  zookeeper: '#\nbroker.id=1\nversion=0\ncluster.id=AUJvYXJkUGlwZWxpbmUwMQ\n',
} as const;

function start(flavour: string) {
  return spawnSync('bash', [resolve(checkout, 'deploy/kafka/start-broker.sh'), flavour, 'echo', 'it', 'starts'], {
    encoding: 'utf8',
    env: { ...process.env, KAFKA_LOG_DIRS: folder },
  });
}

it.each(['kraft', 'zookeeper'])('a broker of the flavour %s starts on an empty volume', (flavour) => {
  expect(start(flavour).stdout).toBe('it starts\n');
});

it.each(['kraft', 'zookeeper'] as const)('and on one of its own flavour: %s', (flavour) => {
  writeFileSync(join(folder, 'meta.properties'), writtenBy[flavour]);
  expect(start(flavour).stdout).toBe('it starts\n');
});

it.each([
  ['kraft', 'zookeeper'],
  ['zookeeper', 'kraft'],
] as const)('%s REFUSES a volume of %s, in one sentence with the way out', (flavour, writer) => {
  writeFileSync(join(folder, 'meta.properties'), writtenBy[writer]);
  const { status, stdout, stderr } = start(flavour);
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(new RegExp(`^This broker's volume was written by the ${writer} flavour.*down -v.*\n$`));
});
