import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { ensurePrograms } from '../../stack/fetch/ensure-programs.ts';
import { checkout } from './read-compose.ts';

it('Kafka itself takes what start-broker.sh makes of the settings, and formats a folder by it', async () => {
  const { java, jars } = await ensurePrograms(
    'kraft',
    () => undefined,
    new AbortController().signal,
  );
  const folder = mkdtempSync(join(tmpdir(), 'start-scripts-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const name of ['bin', 'data']) mkdirSync(join(folder, name));
  const command = [...java.command, '-Xmx128m', '-cp', jars.brokers.join(':')]
    .map((part) => `'${part}'`)
    .join(' ');
  const scripts = {
    'kafka-storage.sh': `exec ${command} "$KAFKA_LOG4J_OPTS" kafka.tools.StorageTool "$@"`,
    'kafka-server-start.sh': 'echo started with "$1"',
  };
  for (const [name, body] of Object.entries(scripts)) {
    writeFileSync(join(folder, 'bin', name), `#!/bin/bash\n${body}\n`);
    chmodSync(join(folder, 'bin', name), 0o755);
  }

  const { status, stdout, stderr } = spawnSync(
    'bash',
    [resolve(checkout, 'infra/kafka/start-broker.sh'), 'kraft'],
    {
      encoding: 'utf8',
      env: {
        PATH: `${join(folder, 'bin')}:${process.env['PATH']}`,
        TMPDIR: folder,
        BROKER_ID: '2',
        HOST_PORT: '19093',
        DATA_DIR: join(folder, 'data'),
      },
    },
  );
  expect([stderr, status]).toEqual(['', 0]);
  expect(stdout).toContain('started with');
  const meta = readFileSync(join(folder, 'data/meta.properties'), 'utf8');
  expect(meta).toMatch(/^node\.id=2$/m);
  expect(meta).toMatch(/^cluster\.id=AUJvYXJkUGlwZWxpbmUwMQ$/m);
});
