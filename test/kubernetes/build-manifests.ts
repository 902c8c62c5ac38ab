import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { manifestFolder, parseResources } from './read-manifests.ts';
import type { Resource } from './resource.ts';

const run = promisify(execFile);

/** What `kubectl apply -k` would send; needs kubectl or kustomize on the PATH. */
export async function buildManifests(folder: string): Promise<Resource[]> {
  const path = resolve(manifestFolder, folder);
  const options = { maxBuffer: 16 * 1024 * 1024, timeout: 60_000 };
  const { stdout } = await run('kubectl', ['kustomize', path], options).catch(
    (error: Error & { code?: string }) => {
      if (error.code !== 'ENOENT') throw error;
      return run('kustomize', ['build', path], options);
    },
  );
  return parseResources(stdout);
}
