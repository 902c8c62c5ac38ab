import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { toResource, type Resource } from './resource.ts';

export const manifestFolder = resolve(import.meta.dirname, '../../infra/kubernetes');

const kustomization = z.looseObject({ resources: z.array(z.string()) });

/** Folders of resources: `base` always runs, and an overlay may name the others beside it. */
export const folders: readonly string[] = readdirSync(manifestFolder).filter(
  (name) => name !== 'overlays' && existsSync(resolve(manifestFolder, name, 'kustomization.yaml')),
);

/** Names of the files that a folder's resources are in. */
export function listFiles(folder: string): string[] {
  const text = readFileSync(resolve(manifestFolder, folder, 'kustomization.yaml'), 'utf8');
  return kustomization.parse(parse(text)).resources;
}

/** Every resource of a folder, as written; a key given twice or bad YAML is an error. */
export function readManifests(folder: string): Resource[] {
  return listFiles(folder).flatMap((file) =>
    parseResources(readFileSync(resolve(manifestFolder, folder, file), 'utf8')),
  );
}

export function parseResources(text: string): Resource[] {
  return parseAllDocuments(text).map((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw error;
    return toResource(document.toJS());
  });
}
