// The first step, and the only file that an older Node (20 or later) runs: it makes sure that the
// locked packages are installed, then hands over to the Node among them.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { constants, homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const checkout = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const modules = join(checkout, 'node_modules');
const lockFile = join(checkout, 'package-lock.json');
const stampFile = join(modules, '.stack-lock-hash');

/** One sentence on why this machine cannot run the stack, undefined when it can. */
export function platformProblem(platform, arch, nodeVersion) {
  if (platform !== 'linux' || !['x64', 'arm64'].includes(arch)) {
    return `This runs on Linux (x64 or arm64), not on ${platform} ${arch}: use such a machine, or the containers.`;
  }
  return Number(nodeVersion.split('.')[0]) < 20
    ? `Node ${nodeVersion} is too old: install Node 20 or later.`
    : undefined;
}

/**
 * True when `node_modules/.package-lock.json` holds every package of the lock file in its version.
 */
export function isInstalled(lock, installed) {
  return Object.entries(lock.packages).every(([path, wanted]) => {
    if (path === '' || !path.startsWith('node_modules/')) return true;
    const found = installed.packages[path];
    // Packages for other systems are left out by npm.
    return found === undefined
      ? wanted.optional === true || wanted.peer === true
      : found.version === wanted.version;
  });
}

function ensurePackages() {
  const hash = createHash('sha256').update(readFileSync(lockFile)).digest('hex');
  const hasNode = existsSync(join(modules, '.bin/node'));
  if (hasNode && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === hash) return;
  const hidden = join(modules, '.package-lock.json');
  const fits =
    hasNode &&
    existsSync(hidden) &&
    isInstalled(
      JSON.parse(readFileSync(lockFile, 'utf8')),
      JSON.parse(readFileSync(hidden, 'utf8')),
    );
  if (!fits) {
    console.error('Installing the locked npm packages (npm ci) ...');
    const args = [
      'ci',
      '--include=dev',
      '--include=optional',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
    ];
    // Standard output belongs to the command that follows.
    const npm = spawnSync('npm', args, { cwd: checkout, stdio: ['ignore', 2, 2] });
    if (npm.error)
      fail(`npm cannot be run (${npm.error.message}): install npm, it comes with Node.`);
    if (npm.status !== 0)
      fail('npm ci failed: its message above says why. Fix that and start again.');
    if (!existsSync(join(modules, '.bin/node'))) {
      fail(
        'npm ci left out the locked Node: remove "omit=optional" from npm\'s settings and start again.',
      );
    }
  }
  writeFileSync(stampFile, hash);
}

function run(file, args) {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const path = [join(modules, '.bin'), process.env.PATH ?? ''].join(delimiter);
  // By its path, since PATH cannot name a folder with ":" in it.
  const own = join(modules, '.bin', file);
  const child = spawn(!file.includes('/') && existsSync(own) ? own : file, args, {
    stdio: 'inherit',
    // Compiled code is kept from start to start: a command loads in half the time.
    env: {
      NODE_COMPILE_CACHE: join(cache, 'board-pipeline/node-compile-cache'),
      ...process.env,
      PATH: path,
    },
  });
  // From a terminal the child gets Ctrl-C itself as well; the launcher takes signals close together
  // for one.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => child.kill(signal));
  child.once('error', (error) => fail(`${file} cannot be run: ${error.message}`));
  child.once('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
  });
}

function fail(message) {
  console.error(message);
  process.exit(1);
}

function main() {
  const problem = platformProblem(process.platform, process.arch, process.versions.node);
  if (problem !== undefined) fail(problem);
  ensurePackages();
  const [first, ...rest] = process.argv.slice(2);
  if (first === 'exec') {
    const [file, ...args] = rest[0] === '--' ? rest.slice(1) : rest;
    if (file === undefined)
      fail('exec needs a command: node stack/launch.mjs exec -- <command> [arguments]');
    run(file, args);
    return;
  }
  run(join(modules, '.bin/node'), [join(checkout, 'stack/cli.ts'), ...process.argv.slice(2)]);
}

// By its real path: a checkout may be reached through a link, and the module's own address never
// names one.
if (
  process.argv[1] !== undefined &&
  realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)
)
  main();
