import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { provisionVariables } from '@board/provision';
import { locateInstance, startCommand } from '../instance/instance.ts';
import { provisionConfig } from '../run/list-steps.ts';
import { nodeCommand } from '../servers/command-lines.ts';
import { loopbackHosts } from '../servers/server.ts';
import { readStack } from '../stack.ts';

/**
 * Runs steps of the setup again on a stack that runs; all of them without names. Exit code of the
 * setup itself.
 */
export async function setup(name: string, steps: readonly string[]): Promise<void> {
  const stack = readStack(name);
  if (stack === undefined)
    throw new Error(
      `The stack "${name}" does not run: start it with "${startCommand(locateInstance(name))}".`,
    );
  const config = provisionConfig({ ...stack, hosts: loopbackHosts });
  const { file, args, env, cwd } = nodeCommand('provision/main.ts', provisionVariables(config));
  const child = spawn(file, [...args, ...steps], {
    stdio: 'inherit',
    env: { ...process.env, ...env },
    cwd,
  });
  const [exitCode] = (await once(child, 'exit')) as [number | null];
  process.exitCode = exitCode ?? 1;
}
