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

/** The distribution's own archive among all sources: never a third party's, never the security archive. */
export function chooseSource(
  sources: readonly AptSource[],
  system: { id: string; codename: string },
): AptSource | undefined {
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
