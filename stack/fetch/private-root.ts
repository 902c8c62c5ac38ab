import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { findOnPath, lastLines, runCommand } from '../run/run-command.ts';
import { cacheFolder, ensureCached, type Say } from './cache.ts';

/**
 * A folder with Debian packages unpacked in it, none of them installed: no root rights, nothing
 * outside it touched.
 */
export interface PrivateRoot {
  readonly folder: string;
  /**
   * Comes before a program of the root: its own loader, since its libc is newer than the machine's.
   */
  readonly loader: readonly string[];
}

const architectures = {
  x64: { triplet: 'x86_64-linux-gnu', loader: 'usr/lib64/ld-linux-x86-64.so.2' },
  arm64: { triplet: 'aarch64-linux-gnu', loader: 'usr/lib/ld-linux-aarch64.so.1' },
};

/** Why this machine cannot have a private root; undefined when it can. */
export function privateRootProblem(): string | undefined {
  const { id } = readSystem();
  if (id !== 'debian' && id !== 'ubuntu') {
    return `packages can be fetched on Debian and Ubuntu only (this is ${id === '' ? 'an unknown system' : id})`;
  }
  const missing = ['apt-get', 'apt-cache', 'dpkg'].filter((tool) => findOnPath(tool) === undefined);
  if (missing.length > 0) return `not on PATH: ${missing.join(', ')}`;
  return chooseSource(readAptSources(), readSystem()) === undefined
    ? "apt's sources do not name the distribution's own archive"
    : undefined;
}

/**
 * Fetches packages with all they depend on and unpacks them; apt verifies signatures and hashes.
 * The first of `candidates` that the archive has is taken.
 */
export async function fetchPrivateRoot(
  name: string,
  candidates: readonly string[],
  say: Say,
  signal?: AbortSignal,
): Promise<PrivateRoot> {
  const folder = await ensureCached(name, say, async (target) => {
    const problem = privateRootProblem();
    if (problem !== undefined) throw new Error(`${name}: ${problem}.`);
    const logFile = join(cacheFolder(), `${name}.log`);
    const apt = prepareApt(target);
    const run = (file: string, args: readonly string[]): Promise<void> =>
      runCommand(
        { file, args, env: { LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' } },
        { logFile, signal },
      );

    say(`${name}: reading the archive's package list`);
    await run('apt-get', [...apt, 'update']);
    let chosen: string | undefined;
    for (const candidate of candidates) {
      chosen ??= await run('apt-cache', [...apt, 'show', candidate])
        .then(() => candidate)
        .catch(() => undefined);
    }
    if (chosen === undefined)
      throw new Error(`${name}: the archive has none of ${candidates.join(', ')}.`);
    say(`${name}: fetching ${chosen} and what it needs`);
    await run('apt-get', [...apt, '-y', '--download-only', 'install', chosen]);
    const downloaded = /Need to get (.*) of archives/.exec(lastLines(logFile, 400))?.[1];
    const archives = join(target, 'apt/cache/archives');
    const packages = readdirSync(archives).filter((file) => file.endsWith('.deb'));
    say(
      `${name}: unpacking ${packages.length} packages${downloaded === undefined ? '' : ` (${downloaded})`}`,
    );
    for (const file of packages) await run('dpkg', ['-x', join(archives, file), target]);
    makeLinksRelative(target, target);
    rmSync(join(target, 'apt'), { recursive: true });
    return { package: chosen, packages };
  });
  const { loader, triplet } = process.arch === 'arm64' ? architectures.arm64 : architectures.x64;
  return {
    folder,
    loader: [join(folder, loader), '--library-path', join(folder, 'usr/lib', triplet)],
  };
}

/**
 * apt's options for a state of its own inside the folder: the machine's package database is neither
 * read nor written.
 */
function prepareApt(target: string): string[] {
  const system = readSystem();
  const source = chooseSource(readAptSources(), system);
  if (source === undefined)
    throw new Error("apt's sources do not name the distribution's own archive.");
  const root = join(target, 'apt');
  for (const folder of ['state/lists/partial', 'cache/archives/partial', 'parts']) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  const keyring = source.signedBy ?? `/usr/share/keyrings/${system.id}-archive-keyring.gpg`;
  // Debian's stable releases carry no MySQL; Ubuntu's own release does.
  const suite = system.id === 'debian' ? 'sid' : system.codename;
  const components = system.id === 'debian' ? 'main' : 'main universe';
  writeFileSync(
    join(root, 'sources.list'),
    `deb [signed-by=${keyring}] ${source.uri} ${suite} ${components}\n`,
  );
  writeFileSync(join(root, 'status'), '');
  const options = {
    'Dir::State': join(root, 'state'),
    'Dir::State::status': join(root, 'status'),
    'Dir::Cache': join(root, 'cache'),
    'Dir::Etc::sourcelist': join(root, 'sources.list'),
    'Dir::Etc::sourceparts': join(root, 'parts'),
    'Dir::Etc::preferencesparts': join(root, 'parts'),
    'APT::Install-Recommends': 'false',
    // As root, apt would fetch as a user who cannot enter this folder.
    'APT::Sandbox::User': 'root',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '3',
  };
  return Object.entries(options).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
}

/** Absolute links (Java's `java.security` is one) would lead out of the root. */
function makeLinksRelative(folder: string, root: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) makeLinksRelative(path, root);
    if (!entry.isSymbolicLink()) continue;
    const to = readlinkSync(path);
    if (!to.startsWith('/')) continue;
    unlinkSync(path);
    symlinkSync(relative(dirname(path), join(root, to)), path);
  }
}

/** A distribution as `/etc/os-release` names it. */
export interface System {
  readonly id: string;
  readonly codename: string;
}

/** Reads `/etc/os-release`; fields are empty where it has none. */
function readSystem(): System {
  const text = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  const field = (name: string): string =>
    new RegExp(`^${name}="?([^"\n]*)"?$`, 'm').exec(text)?.[1] ?? '';
  return { id: field('ID'), codename: field('VERSION_CODENAME') };
}

/** Everything that this machine's apt fetches from. */
function readAptSources(etc = '/etc/apt'): AptSource[] {
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
