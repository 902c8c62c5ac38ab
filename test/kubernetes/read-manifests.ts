import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { toResource, type Resource } from './resource.ts';

export const manifestFolder = resolve(import.meta.dirname, '../../infra/kubernetes');

const kustomization = z.looseObject({ resources: z.array(z.string()) });

/** Names of the files that the base is made of. */
export function listBaseFiles(): string[] {
  return kustomization.parse(parse(readFileSync(resolve(manifestFolder, 'base/kustomization.yaml'), 'utf8'))).resources;
}

/** Every resource of the base, as written; a key given twice or bad YAML is an error. */
export function readManifests(): Resource[] {
  return listBaseFiles().flatMap((file) => parseResources(readFileSync(resolve(manifestFolder, 'base', file), 'utf8')));
}

export function parseResources(text: string): Resource[] {
  return parseAllDocuments(text).map((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw error;
    return toResource(document.toJS());
  });
}
