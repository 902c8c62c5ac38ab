// npm run containers -- secrets | doctor. Plain JavaScript without packages, for any Node from 20
// on and any system: a user of the containers has installed nothing else.
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkContainers } from './check-containers.mjs';
import { findNativeStacks, isPort, readComposePorts, readDotEnv } from './ports.mjs';

const checkout = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const usage = `npm run containers -- <command>

  secrets           makes the passwords that are missing in .secrets/; changes none that is there
  doctor [options]  prints what keeps "docker compose up" from working, and how to fix it
      -f <file>         as for docker compose, may be repeated
      --profile <name>  as for docker compose, may be repeated
      --json            for programs

Exit code: 0 done or nothing missing, 1 something is missing, 2 the command line is not understood.`;

const composeText = () => readFileSync(join(checkout, 'docker-compose.yml'), 'utf8');

/** The secrets that the containers take: named in one place, docker-compose.yml. */
function secretFiles() {
  return [...composeText().matchAll(/\bfile: (\.secrets\/\w+)/g)].map(([, file]) =>
    join(checkout, file),
  );
}

function makeSecrets() {
  const missing = secretFiles().filter((file) => !existsSync(file));
  mkdirSync(join(checkout, '.secrets'), { recursive: true, mode: 0o700 });
  for (const file of missing) {
    writeFileSync(file, randomBytes(24).toString('base64url'), { flag: 'wx' });
    // Containers read it under user ids of their own; the folder keeps other users out.
    chmodSync(file, 0o444);
  }
  const names = missing.map((file) => relative(checkout, file)).join(', ');
  console.log(
    missing.length === 0 ? 'All secrets are there: nothing was changed.' : `Made ${names}.`,
  );
}

function docker(...args) {
  const { status, stdout, stderr, error } = spawnSync('docker', args, {
    cwd: checkout,
    encoding: 'utf8',
    timeout: 60_000,
  });
  return {
    isOk: error === undefined && status === 0,
    stdout: stdout ?? '',
    problem: error?.message ?? (stderr ?? '').trim(),
  };
}

function isBusy(port, host) {
  return new Promise((done) => {
    const server = createServer();
    server.once('error', (error) => done(error.code === 'EADDRINUSE' || error.code === 'EACCES'));
    server.listen(port, host, () => server.close(() => done(false)));
  });
}

function hasContent(file) {
  return existsSync(file) && statSync(file).isFile() && statSync(file).size > 0;
}

/** The facts of this machine; `checkContainers` classifies them. */
async function observeMachine(composeArgs) {
  const cli = docker('--version');
  const compose = docker('compose', 'version', '--short');
  const info = docker('info', '--format', '{{json .}}');
  const config = compose.isOk
    ? docker('compose', ...composeArgs, 'config', '--format', 'json')
    : undefined;
  const parsed = config?.isOk ? JSON.parse(config.stdout) : undefined;
  const variables = { ...readEnvFile(), ...process.env };
  const project =
    parsed?.name ?? variables.COMPOSE_PROJECT_NAME ?? /^name: (\S+)/m.exec(composeText())?.[1];
  // Without compose's own answer the file is read: less exactly, since -f and what a file overrides
  // are not seen.
  const ports = readComposePorts(composeText(), variables, profilesOf(composeArgs, variables));
  const published = parsed ? publishedPorts(parsed) : numbered(ports);
  const secrets = parsed
    ? Object.values(parsed.secrets ?? {}).flatMap(({ file }) => (file === undefined ? [] : [file]))
    : secretFiles();
  return {
    cli: cli.isOk,
    composeVersion: compose.isOk ? compose.stdout.trim() : undefined,
    engine: readEngine(info),
    config: parsed
      ? { project, services: Object.keys(parsed.services) }
      : {
          project,
          problem: config?.problem,
          wrongPorts: ports.filter(({ value }) => !isPort(value)),
        },
    missingSecrets: secrets
      .filter((file) => !hasContent(file))
      .map((file) => relative(checkout, file)),
    busyPorts: await findBusy(published, project),
    volumes: docker('volume', 'ls', '--format', '{{.Name}}').stdout.split('\n').filter(Boolean),
  };
}

function publishedPorts({ services }) {
  return Object.entries(services).flatMap(([service, { ports = [] }]) =>
    ports.flatMap(({ published: port, host_ip: host = '0.0.0.0' }) =>
      Number(port) > 0 ? [{ service, port: Number(port), host }] : [],
    ),
  );
}

function numbered(ports) {
  return ports.flatMap(({ service, host, value }) =>
    isPort(value) && Number(value) > 0 ? [{ service, host, port: Number(value) }] : [],
  );
}

async function findBusy(published, project) {
  const label = `label=com.docker.compose.project=${project}`;
  const own = docker('ps', '--filter', label, '--format', '{{.Ports}}').stdout;
  const stacks = findNativeStacks(checkout);
  const busy = [];
  for (const { service, port, host } of published) {
    if (own.includes(`:${port}->`) || !(await isBusy(port, host))) continue;
    busy.push({ service, port, stack: stacks.find(({ ports }) => ports.includes(port))?.name });
  }
  return busy;
}

function readEnvFile() {
  const file = join(checkout, '.env');
  return existsSync(file) ? readDotEnv(readFileSync(file, 'utf8')) : {};
}

function profilesOf(composeArgs, { COMPOSE_PROFILES = '' }) {
  return [
    ...COMPOSE_PROFILES.split(','),
    ...composeArgs.filter((_, index) => composeArgs[index - 1] === '--profile'),
  ];
}

function readEngine({ isOk, stdout, problem }) {
  // Some versions succeed without an engine and say so in the answer.
  const answer = stdout.startsWith('{') ? JSON.parse(stdout) : {};
  const errors = answer.ServerErrors ?? [];
  if (!isOk || errors.length > 0) return { problem: errors[0] ?? problem };
  return { os: answer.OSType, architecture: answer.Architecture, memoryBytes: answer.MemTotal };
}

async function doctor(args) {
  const composeArgs = [];
  let isJson = false;
  for (let index = 0; index < args.length; index += 1) {
    if (args[index] === '--json') isJson = true;
    else if (['-f', '--file', '--profile'].includes(args[index]) && args[index + 1] !== undefined) {
      composeArgs.push(args[index], args[index + 1]);
      index += 1;
    } else if (['-f', '--file', '--profile'].includes(args[index]))
      return fail(`${args[index]} needs a value.`);
    else return fail(`doctor does not know "${args[index]}".`);
  }
  const findings = checkContainers(await observeMachine(composeArgs));
  if (findings.some(({ status }) => status === 'missing')) process.exitCode = 1;
  if (isJson) return console.log(JSON.stringify(findings, null, 2));
  for (const { name, status, detail, fix } of findings) {
    console.log(`${status.padEnd(8)}${name.padEnd(14)}${detail}`);
    if (fix !== undefined) console.log(`${' '.repeat(22)}to fix: ${fix}`);
  }
}

function fail(problem) {
  console.error(problem === undefined ? usage : `${problem}\n\n${usage}`);
  process.exitCode = 2;
}

const [command, ...rest] = process.argv.slice(2);
if (command === '--help' || command === '-h') console.log(usage);
else if (command === 'secrets' && rest.length === 0) makeSecrets();
else if (command === 'secrets') fail(`secrets takes nothing, and got "${rest[0]}".`);
else if (command === 'doctor') await doctor(rest);
else fail(command === undefined ? undefined : `There is no command "${command}".`);
