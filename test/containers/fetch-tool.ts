import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fetchPrivateRoot } from '../../stack/fetch/private-root.ts';
import { findOnPath, readOutput } from '../../stack/run/run-command.ts';

export type Tool =
  | { readonly kind: 'found'; readonly command: readonly string[] }
  | { readonly kind: 'missing'; readonly problem: string };

/**
 * The machine's `docker compose`, else the distribution's plugin, unpacked into the launcher's
 * cache and run by itself.
 */
export async function fetchCompose(): Promise<Tool> {
  if (await isWorking(['docker', 'compose'], 'version'))
    return { kind: 'found', command: ['docker', 'compose'] };
  const files = [
    'usr/libexec/docker/cli-plugins/docker-compose',
    'usr/lib/docker/cli-plugins/docker-compose',
  ];
  return fetchTool('root-compose', ['docker-compose', 'docker-compose-v2'], files, 'version');
}

/** The machine's promtool, else the one of the distribution's Prometheus. */
export async function fetchPromtool(): Promise<Tool> {
  const own = findOnPath('promtool');
  if (own !== undefined) return { kind: 'found', command: [own] };
  return fetchTool('root-prometheus', ['prometheus'], ['usr/bin/promtool'], '--version');
}

async function fetchTool(
  root: string,
  packages: readonly string[],
  files: readonly string[],
  versionFlag: string,
): Promise<Tool> {
  try {
    const { folder, loader } = await fetchPrivateRoot(root, packages, (line) => console.log(line));
    const file = files.map((name) => join(folder, name)).find((name) => existsSync(name));
    if (file === undefined)
      return {
        kind: 'missing',
        problem: `${packages.join(', ')} brings none of ${files.join(', ')}`,
      };
    const command = [...loader, file];
    return (await isWorking(command, versionFlag))
      ? { kind: 'found', command }
      : { kind: 'missing', problem: `${command.join(' ')} ${versionFlag} does not answer` };
  } catch (error) {
    return { kind: 'missing', problem: error instanceof Error ? error.message : String(error) };
  }
}

async function isWorking(command: readonly string[], flag: string): Promise<boolean> {
  return /version v?\d/i.test(await readOutput(command, [flag]));
}
