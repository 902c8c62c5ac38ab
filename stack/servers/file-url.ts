import { pathToFileURL } from 'node:url';

/** A file as Java's log libraries want it: they take a path for a URL, and split their list of files at commas. */
export function fileUrl(path: string): string {
  return pathToFileURL(path).href.replaceAll(',', '%2C');
}
