import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { printable } from '@board/service';
import { readProvisionConfig } from './config.ts';
import { provisionSteps, runStep, type ProvisionTools } from './steps.ts';

const names = provisionSteps.map(({ name }) => name);
const usage = `node provision/main.ts [step ...]

Makes what the services need, on servers that run: ${names.join(', ')}.
Without names all of them, in this order; each may be run again at any time.

Environment: MYSQL_HOST (127.0.0.1), MYSQL_PORT, MYSQL_ROOT_PASSWORD, MYSQL_USER_HOST (127.0.0.1), <USER>_PASSWORD of each
MySQL user, KAFKA_BROKERS, REGISTRY_URL, CONNECT_URL. A password may come from a file: <USER>_PASSWORD_FILE.
Exit code: 0 done, 1 failed, 2 there is no such step.`;

const tools: ProvisionTools = {
  say: print,
  runScript: async (name, file, env) => {
    const script = resolve(import.meta.dirname, '..', file);
    const child = spawn(process.execPath, [script], {
      stdio: 'inherit',
      env: { ...process.env, ...env },
    });
    const [exitCode] = await once(child, 'exit');
    if (exitCode !== 0) throw new Error(`${name} failed: its message above says why`);
  },
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !names.includes(name));
if (wanted.includes('--help') || wanted.includes('-h')) print(usage);
else if (unknown.length > 0) {
  fail(`unknown step ${unknown.join(', ')}; the steps are ${names.join(', ')}`, 2);
} else {
  try {
    const config = readProvisionConfig(process.env);
    const never = new AbortController().signal;
    for (const step of provisionSteps) {
      if (wanted.length === 0 || wanted.includes(step.name))
        await runStep(step, config, tools, never);
    }
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error), 1);
  }
}

function fail(message: string, exitCode: number): void {
  process.stderr.write(`${printable(message)}\n`);
  process.exitCode = exitCode;
}

function print(line: string): void {
  process.stdout.write(`${printable(line)}\n`);
}
