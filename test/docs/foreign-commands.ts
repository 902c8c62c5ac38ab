import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readCompose } from '../containers/read-compose.ts';
import { checkout, listFiles, readText } from './read-documents.ts';

/** What a rule finds about a command. */
export type Checked =
  | { readonly kind: 'right' }
  | { readonly kind: 'wrong'; readonly why: string }
  /** Right when these programs understand these arguments. */
  | { readonly kind: 'run'; readonly runs: readonly { file: string; args: readonly string[] }[] };

export type Rule = (
  words: readonly string[],
  isMention: boolean,
  /** For a command that is given to another one. */
  checkInner: (words: readonly string[]) => Checked,
) => Checked;

export const right: Checked = { kind: 'right' };
export const wrong = (why: string): Checked => ({ kind: 'wrong', why });
export const rightIf = (isRight: boolean, why: string): Checked => (isRight ? right : wrong(why));

/** From the checkout. */
export const isFile = (file: string): boolean => {
  const path = join(checkout, file);
  return existsSync(path) && statSync(path).isFile();
};
/** The options of each subcommand that the documents use. */
const composeCommands: Readonly<Record<string, readonly string[]>> = {
  up: ['-d', '--wait', '--build', '--force-recreate'],
  down: ['-v'],
  logs: ['-f'],
  port: [],
  run: ['--rm'],
  config: ['-q'],
};

type Services = Readonly<Record<string, { profiles: string[]; entrypoint?: unknown } | undefined>>;

const compose = new Map<string, Services>();

/** The services of compose files, by their names; later files win. */
export function services(files: readonly string[]): Services {
  for (const file of files) if (!compose.has(file)) compose.set(file, readCompose(file).services);
  return Object.assign({}, ...files.map((file) => compose.get(file))) as Services;
}

export const checkDocker: Rule = (words, isMention, checkInner) => {
  const [, first, ...rest] = words;
  if (first === 'run') {
    // Of Node any version of the same major.
    const ours = readText('Dockerfile') + readText('docker-compose.yml');
    const known = ours + ours.replaceAll(/\b(node:\d+)[.\d]+/g, '$1');
    const image = rest.findIndex((word) => /^[a-z][\w./-]*:[\w.-]+$/.test(word));
    if (!known.includes(rest[image] ?? '')) return wrong('its image is none of ours');
    return checkInner(rest.slice(image + 1));
  }
  if (first !== 'compose') return wrong(`no rule knows docker ${first}`);
  const files: string[] = [];
  const profiles: string[] = [];
  while (rest[0] === '-f' || rest[0] === '--profile') {
    const [option, value = ''] = rest.splice(0, 2);
    (option === '-f' ? files : profiles).push(value);
  }
  const missing = files.find((file) => !isFile(file));
  if (missing !== undefined) return wrong(`there is no file ${missing}`);
  const known = services(['docker-compose.yml', ...files]);
  for (const profile of profiles)
    if (!Object.values(known).some((one) => one?.profiles.includes(profile)))
      return wrong(`no service has the profile ${profile}`);
  const [command, ...args] = rest;
  if (command === undefined) return rightIf(isMention, 'docker compose names no command');
  const options = composeCommands[command];
  if (options === undefined) return wrong(`no rule knows docker compose ${command}`);
  const named = args.findIndex((arg) => !arg.startsWith('-'));
  const given = named === -1 ? args : args.slice(0, named);
  const strange = given.find((option) => !options.includes(option));
  if (strange !== undefined) return wrong(`no rule knows ${strange} of docker compose ${command}`);
  if (named === -1) return right;
  const [service = '', ...more] = args.slice(named);
  const found = known[service];
  if (found === undefined) return wrong(`no compose file has the service ${service}`);
  if (command === 'port') return rightIf(/^\d+$/.test(more.join(' ')), 'port names one port');
  if (command !== 'run') return rightIf(more.length === 0, 'no rule knows more than one service');
  const entry = Array.isArray(found.entrypoint) ? found.entrypoint.map(String) : [];
  return checkInner([...entry, ...more]);
};

/** The options of curl that the documents use; true: a value follows. */
const curlOptions: Readonly<Record<string, boolean>> = {
  '-f': false,
  '-sS': false,
  '-sf': false,
  '-X': true,
  '-H': true,
  '-d': true,
  '-w': true,
  '-o': true,
  '--data-binary': true,
  '--retry': true,
  '--retry-delay': true,
  '--retry-all-errors': false,
};

const routes = listFiles('services/*/src/http/*.ts', 'packages/service/src/http/*.ts').flatMap(
  (file) =>
    [...readText(file).matchAll(/router\.(\w+)\('(\/[^']*)'/g)].map(
      ([, method = '', path = '']) => ({
        method: method.toUpperCase(),
        path: new RegExp(`^${path.replaceAll(/:\w+/g, '[^/]+')}$`),
      }),
    ),
);

/** Its options, and that a service of ours answers such a request. */
export const checkCurl: Rule = ([, ...args], isMention) => {
  if (isMention) return right;
  let method: string | undefined;
  let hasBody = false;
  let url: string | undefined;
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? '';
    const takesValue = curlOptions[arg];
    if (arg.startsWith('-') && takesValue === undefined)
      return wrong(`no rule knows ${arg} of curl`);
    if (!arg.startsWith('-')) url = arg;
    if (arg === '-X') method = args[at + 1];
    if (arg === '-d' || arg === '--data-binary') hasBody = true;
    if (takesValue === true) at += 1;
  }
  const [, port, path = ''] = /^http:\/\/127\.0\.0\.1:(\d+)(\/[^?]*)/.exec(url ?? '') ?? [];
  if (port === undefined) return wrong(`it does not ask 127.0.0.1: ${url}`);
  // Apicurio's own; everything else is ours.
  if (/^\/apis\/registry\/v3\/admin\/(import|export)$/.test(path)) return right;
  const verb = method ?? (hasBody ? 'POST' : 'GET');
  return rightIf(
    routes.some((route) => route.method === verb && route.path.test(path)),
    `no service answers ${verb} ${path}`,
  );
};

const manifests = listFiles('infra/kubernetes/*.yaml').map(readText).join('\n');

/** The names of objects and folders alone: kubectl is not installed where the tests run. */
export const checkKubectl: Rule = (words, _isMention, checkInner) => {
  const dashes = words.indexOf('--');
  const own = dashes === -1 ? words : words.slice(0, dashes);
  const named = [
    ...own.join(' ').matchAll(/ (-n|job|kafkaconnector|generic|docker-registry) ([a-z-]+)/g),
  ];
  const objects = own.filter((_word, index) => own[index - 1] !== '-k');
  const names = [
    ...named.map(([, , name]) => name ?? ''),
    ...objects.flatMap((word) => /^[a-z]+\/([a-z-]+)$/.exec(word)?.[1] ?? []),
  ];
  const strange = names.find((name) => !new RegExp(`: ${name}\\b`).test(manifests));
  if (strange !== undefined) return wrong(`infra/kubernetes names no ${strange}`);
  const folder = own[own.indexOf('-k') + 1] ?? '';
  if (
    own.includes('-k') &&
    folder !== '...' &&
    !existsSync(join(checkout, 'infra/kubernetes', folder))
  )
    return wrong(`there is no folder infra/kubernetes/${folder}`);
  return dashes === -1 ? right : checkInner(words.slice(dashes + 1));
};
