import { expect, it, test } from 'vitest';
import { passwordVariable, readProvisionConfig } from './config.ts';
import { mysqlUsers } from './mysql-users.ts';
import { provisionSteps, runStep, type ProvisionStep } from './steps.ts';

const servers = ['mysql', 'kafka', 'registry', 'connect'];

it('each step needs servers and steps before it only, so that one after the other is an order too', () => {
  const done = new Set(servers);
  for (const { name, needs } of provisionSteps) {
    expect(needs.filter((need) => !done.has(need))).toEqual([]);
    expect(done.has(name)).toBe(false);
    done.add(name);
  }
});

const config = readProvisionConfig({
  MYSQL_PORT: '3306',
  MYSQL_ROOT_PASSWORD: 'secret',
  KAFKA_BROKERS: 'kafka-1:9092',
  REGISTRY_URL: 'http://registry:8080',
  CONNECT_URL: 'http://connect:8083',
  ...Object.fromEntries(mysqlUsers.map((user) => [passwordVariable(user), 'secret'])),
});

function run(work: ProvisionStep['run'], signal = new AbortController().signal) {
  const said: string[] = [];
  const tools = { say: (line: string) => said.push(line), runScript: () => Promise.resolve() };
  return { said, done: runStep({ name: 'topics', needs: [], run: work }, config, tools, signal) };
}

test('a step that fails is run again, and each failure is said', async () => {
  let attempts = 0;
  const { said, done } = run(() => {
    attempts += 1;
    return attempts < 2
      ? Promise.reject(new Error('not yet'))
      : Promise.resolve(['topic board: created']);
  });
  await done;
  expect(said).toEqual(['topics: once more, since not yet', 'topic board: created', 'topics done']);
});

test('an abort ends the repetitions with its own reason', async () => {
  const controller = new AbortController();
  let attempts = 0;
  const { done } = run(() => {
    attempts += 1;
    controller.abort(new Error('Ctrl-C'));
    return Promise.reject(new Error('never'));
  }, controller.signal);
  await expect(done).rejects.toThrow('Ctrl-C');
  expect(attempts).toBe(1);
});
