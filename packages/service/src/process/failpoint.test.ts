import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { failpoint, setFailpoint } from './failpoint.ts';

test('a failpoint does nothing until a test arms it, and nothing after the undo', async () => {
  await failpoint('here');
  const undo = setFailpoint('here', () => {
    throw new Error('hit');
  });
  await expect(failpoint('here')).rejects.toThrow('hit');
  await failpoint('elsewhere');
  undo();
  await failpoint('here');
});

test('no environment variable arms a failpoint: none is read', () => {
  // Also by a wrapper of all of them, such as Object.entries.
  const code = `
    const read = [];
    process.env = new Proxy(process.env, {
      get: (env, name) => (read.push(name), env[name]),
      has: (env, name) => (read.push(name), name in env),
      ownKeys: (env) => (read.push('all'), Reflect.ownKeys(env)),
    });
    void process.env.seen;
    const { failpoint } = await import(${JSON.stringify(new URL('./failpoint.ts', import.meta.url).href)});
    await failpoint('before-commit');
    // Node's own loader of modules reads this one.
    console.log(JSON.stringify(read.filter((name) => name !== 'WATCH_REPORT_DEPENDENCIES')));`;
  const { stdout, signal } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    env: { FAILPOINTS: 'before-commit:kill' },
    encoding: 'utf8',
  });
  expect([signal, stdout.trim()]).toEqual([null, '["seen"]']);
});
