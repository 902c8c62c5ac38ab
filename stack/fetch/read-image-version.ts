import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { checkout } from '../instance/instance.ts';

/** The version of an image in a compose file: the native servers are fetched in the same one. */
export function readImageVersion(file: string, image: string): string {
  const text = readFileSync(resolve(checkout, file), 'utf8');
  const images = [...text.matchAll(/ (\S+):(\d\S*)$/gm)];
  const version = images.find(([, name]) => name === image)?.[2];
  if (version === undefined) throw new Error(`${file} has no image ${image}`);
  return version;
}
