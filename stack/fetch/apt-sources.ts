import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A distribution as `/etc/os-release` names it. */
export interface System {
  readonly id: string;
  readonly codename: string;
}

export function readSystem(): System {
  const text = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  const field = (name: string): string =>
    new RegExp(`^${name}="?([^"\n]*)"?$`, 'm').exec(text)?.[1] ?? '';
  return { id: field('ID'), codename: field('VERSION_CODENAME') };
}

/** Everything that this machine's apt fetches from. */
export function readAptSources(etc = '/etc/apt'): AptSource[] {
  const parts = existsSync(join(etc, 'sources.list.d'))
    ? readdirSync(join(etc, 'sources.list.d')).toSorted()
    : [];
  return ['sources.list', ...parts.map((file) => join('sources.list.d', file))]
    .map((file) => join(etc, file))
    .filter((file) => existsSync(file))
    .flatMap((file) => {
      const text = readFileSync(file, 'utf8');
      if (file.endsWith('.list')) return parseListFile(text);
      return file.endsWith('.sources') ? parseDeb822File(text) : [];
    });
}

/** One suite of one archive, as apt's own files name it. */
export interface AptSource {
  readonly uri: string;
  readonly suite: string;
  readonly components: readonly string[];
  /** Path of a keyring; undefined when the file names none or holds the key itself. */
  readonly signedBy: string | undefined;
}

/** Reads lines like `deb [signed-by=...] <uri> <suite> <components>` (a `.list` file). */
export function parseListFile(text: string): AptSource[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*deb\s+(?:\[(?<options>[^\]]*)\]\s+)?(?<rest>[^#]*)/.exec(line);
    if (match?.groups === undefined) return [];
    const [uri, suite, ...components] = (match.groups['rest'] ?? '').trim().split(/\s+/);
    if (uri === undefined || suite === undefined) return [];
    const signedBy = /signed-by=(\S+)/i.exec(match.groups['options'] ?? '')?.[1];
    return [{ uri, suite, components, signedBy: keyringPath(signedBy) }];
  });
}

/** Reads stanzas with `Types`, `URIs`, `Suites` and `Components` (a deb822 `.sources` file). */
export function parseDeb822File(text: string): AptSource[] {
  return text.split(/\n\s*\n/).flatMap((stanza) => {
    const fields = parseFields(stanza);
    const words = (name: string): string[] => fields.get(name)?.split(/\s+/).filter(Boolean) ?? [];
    if (!words('types').includes('deb') || /^(no|false|0)$/i.test(fields.get('enabled') ?? '')) {
      return [];
    }
    return words('uris').flatMap((uri) =>
      words('suites').map((suite) => ({
        uri,
        suite,
        components: words('components'),
        signedBy: keyringPath(fields.get('signed-by')),
      })),
    );
  });
}

function parseFields(stanza: string): Map<string, string> {
  const fields = new Map<string, string>();
  let last = '';
  for (const line of stanza.split('\n')) {
    if (line.startsWith('#')) continue;
    const match = /^([A-Za-z-]+):\s*(.*)$/.exec(line);
    if (match !== null) {
      last = (match[1] ?? '').toLowerCase();
      fields.set(last, match[2] ?? '');
    } else if (/^\s/.test(line)) {
      fields.set(last, `${fields.get(last) ?? ''}\n${line.trim()}`);
    }
  }
  return fields;
}

function keyringPath(signedBy: string | undefined): string | undefined {
  const first = signedBy?.trim().split(/[\s,]+/)[0];
  return first?.startsWith('/') === true ? first : undefined;
}

/**
 * The distribution's own archive among all sources: never a third party's, never the security
 * archive.
 */
export function chooseSource(sources: readonly AptSource[], system: System): AptSource | undefined {
  const isOwn = (source: AptSource): boolean =>
    source.signedBy === undefined || source.signedBy.includes(`${system.id}-archive-`);
  return sources.find(
    (source) =>
      /^(https?|file|mirror\+\w+):/.test(source.uri) &&
      source.components.includes('main') &&
      [system.codename, 'stable', 'testing', 'unstable', 'sid'].includes(source.suite) &&
      isOwn(source),
  );
}
