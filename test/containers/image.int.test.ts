import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestSchema, type TestSchema, waitUntil } from '@board/test';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { pickFreePort } from '../../stack/instance/ports.ts';
import { type Image, openImage } from './open-image.ts';
import { readCompose } from './read-compose.ts';

const stack = inject('stack');
const fiveMinutes = 300_000;
let image: Image;
let schema: TestSchema;
let secrets: string;
let passwordFile: string;

beforeAll(async () => {
  image = openImage();
  console.log(`The image: ${image.how}`);
  schema = await createTestSchema(stack);
  secrets = mkdtempSync(join(tmpdir(), 'board-secrets-'));
  chmodSync(secrets, 0o755);
  passwordFile = join(secrets, 'root');
  writeFileSync(passwordFile, stack.mysql.rootPassword);
}, fiveMinutes);

afterAll(async () => {
  image?.remove();
  await schema?.drop();
  rmSync(secrets, { recursive: true });
});

const database = () => ({
  DATABASE_HOST: schema.connection.host,
  DATABASE_PORT: String(schema.connection.port),
  DATABASE_NAME: schema.name,
  DATABASE_USER: 'root',
  DATABASE_PASSWORD_FILE: passwordFile,
});

it('migrates and serves from the image, as its CMD says, with the password from a file; SIGTERM ends it with 0', async () => {
  const migration = image.run(['node', 'services/order-service/src/migrate.ts'], database(), [
    passwordFile,
  ]);
  expect([await migration.exitCode, migration.output()]).toEqual([
    0,
    expect.stringContaining('migrations.ran'),
  ]);

  const port = await pickFreePort();
  const env = { ...database(), HTTP_PORT: String(port), REGISTRY_URL: stack.registryUrl };
  const service = image.run([], env, [passwordFile]);
  try {
    const url = `http://127.0.0.1:${port}`;
    await waitUntil(
      'order-service from the image is ready',
      async () => (await fetch(`${url}/readyz`)).ok,
    );
    const created = await fetch(`${url}/boards`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ title: '컨테이너에서 🎉', content: '' }),
    });
    expect(created.status).toBe(201);
    const [rows] = await schema.root.query('SELECT COUNT(*) AS events FROM outbox');
    expect(rows).toEqual([{ events: 1 }]);
  } finally {
    service.stop();
  }
  expect([await service.exitCode, service.output()]).toEqual([
    0,
    expect.stringContaining('process.closed'),
  ]);
}, 60_000);

it('runs as a user that is not root and cannot write into the image', async (context) => {
  if (!image.isWalled) context.skip(image.how);
  const script = `
    const { writeFileSync } = require('node:fs');
    let wrote = 'wrote';
    try { writeFileSync('x', ''); } catch { wrote = 'refused'; }
    console.log(process.getuid(), wrote);
  `;
  const run = image.run(['node', '-e', script], {});
  expect([await run.exitCode, run.output().trim()]).toEqual([0, '1000 refused']);
});

describe('every command of docker-compose.yml starts from the image', () => {
  const { services } = readCompose('docker-compose.yml');
  const ours = Object.entries(services)
    .filter(([, { image: name }]) => name?.startsWith('board-pipeline:'))
    .map(([name, { command = [], ['entrypoint']: entrypoint = [] }]) => {
      return [name, [...(entrypoint as string[]), ...command]] as const;
    });

  it.each(ours)('%s', async (_name, command) => {
    const isCommandLine = command.some((part) => /^(ops\/|connectors\/)/.test(part));
    const run = image.run(isCommandLine ? [...command, '--help'] : command, {});
    // With no variable set, a service says which ones it misses: everything that it imports was
    // found.
    if (isCommandLine)
      expect([await run.exitCode, run.output()]).toEqual([0, expect.stringContaining('Usage:')]);
    else
      expect([await run.exitCode, run.output()]).toEqual([
        1,
        expect.stringContaining('The configuration cannot be used:'),
      ]);
  });
});

it('says in one sentence that a secret is missing', async () => {
  const run = image.run([], {
    ...database(),
    DATABASE_PASSWORD_FILE: '/run/secrets/order_service',
    REGISTRY_URL: stack.registryUrl,
  });
  expect([await run.exitCode, run.output()]).toEqual([
    1,
    'The configuration cannot be used:\n  DATABASE_PASSWORD_FILE: got "/run/secrets/order_service", which cannot be read (ENOENT): create it, or make it readable\n',
  ]);
});
