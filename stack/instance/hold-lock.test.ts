import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { tryLock, waitForLock } from './hold-lock.ts';

const folder = `/a folder of test ${process.pid}`;

test('a lock has one holder, and is free again when released', async () => {
  const first = await tryLock(folder);
  expect(await tryLock(folder)).toBeUndefined();
  await first?.release();
  const second = await tryLock(folder);
  expect(second).toBeDefined();
  await second?.release();
});

test('a waiting process gets the lock as soon as it is released', async () => {
  const first = await tryLock(folder);
  let waited = false;
  const second = waitForLock(folder, () => {
    waited = true;
    void first?.release();
  });
  await (await second).release();
  expect(waited).toBe(true);
});

test('a holder that is killed leaves no lock behind', async () => {
  const script = `
    const { tryLock } = await import(${JSON.stringify(resolve(import.meta.dirname, 'hold-lock.ts'))});
    await tryLock(${JSON.stringify(folder)});
    console.log('held');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await new Promise((done) => child.stdout.once('data', done));
  expect(await tryLock(folder)).toBeUndefined();
  const free = waitForLock(folder, () => undefined);
  child.kill('SIGKILL');
  await (await free).release();
});
