import { readText } from '../containers/read-compose.ts';

/** The settings of a file of `infra/`, one `key=value` a line. */
export function readInfraSettings(...files: readonly string[]): Record<string, string> {
  const lines = files.flatMap((file) => readText(`infra/${file}`).split('\n'));
  return Object.fromEntries(
    lines
      .filter((line) => line.includes('=') && !line.startsWith('#'))
      .map((line) => [
        line.slice(0, line.indexOf('=')),
        line.slice(line.indexOf('=') + 1).replace(/^'(.*)'$/, '$1'),
      ]),
  );
}

/**
 * What a manifest says of settings that it leaves out: `# Left out, since <why>: a, b, c.`, wrapped
 * as it likes.
 */
export function readLeftOut(manifest: string): string[] {
  const comments = readText(`infra/kubernetes/base/${manifest}`).replaceAll(/\n *# {3}/g, ' ');
  return [...comments.matchAll(/# Left out, since [^:]+: (.*)\.$/gm)].flatMap(([, keys = '']) =>
    keys.split(/, /),
  );
}
