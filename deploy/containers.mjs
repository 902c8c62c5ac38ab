// npm run containers -- secrets | doctor. Plain JavaScript without packages, for any Node from 20 on and any system:
// whoever runs the containers has installed nothing else.
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { judgeContainers } from './judge-containers.mjs';

const checkout = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const usage = `npm run containers -- <command>

  secrets           makes the passwords that are missing in .secrets/; changes none that is there
  doctor [options]  says what keeps "docker compose up" from working, and what mends it
      -f <file>         as for docker compose, may be repeated
      --profile <name>  as for docker compose, may be repeated
      --json            for programs

Exit code: 0 done or nothing missing, 1 something is missing, 2 the command line is not understood.`;

/** The secrets that the containers take: named in one place, docker-compose.yml. */
function secretFiles() {
  const compose = readFileSync(join(checkout, 'docker-compose.yml'), 'utf8');
  return [...compose.matchAll(/\bfile: (\.secrets\/\w+)/g)].map(([, file]) => join(checkout, file));
}

function makeSecrets() {
  const missing = secretFiles().filter((file) => !existsSync(file));
  mkdirSync(join(checkout, '.secrets'), { recursive: true, mode: 0o700 });
  for (const file of missing) {
    writeFileSync(file, randomBytes(24).toString('base64url'), { flag: 'wx' });
    // Containers read it under user ids of their own; the folder keeps everybody else out.
    chmodSync(file, 0o444);
  }
  const names = missing.map((file) => relative(checkout, file)).join(', ');
  console.log(missing.length === 0 ? 'All secrets are there: nothing was changed.' : `Made ${names}.`);
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

/** What is so on this machine; judging it is `judgeContainers`. */
async function look(composeArgs) {
  const cli = docker('--version');
  const compose = docker('compose', 'version', '--short');
  const info = docker('info', '--format', '{{json .}}');
  const config = docker('compose', ...composeArgs, 'config', '--format', 'json');
  const parsed = config.isOk ? JSON.parse(config.stdout) : undefined;
  const published = Object.entries(parsed?.services ?? {}).flatMap(([service, { ports = [] }]) =>
    ports.flatMap(({ published: port, host_ip: host = '0.0.0.0' }) =>
      Number(port) > 0 ? [{ service, port: Number(port), host }] : [],
    ),
  );
  const own = docker(
    'ps',
    '--filter',
    `label=com.docker.compose.project=${parsed?.name}`,
    '--format',
    '{{.Ports}}',
  ).stdout;
  const busyPorts = [];
  for (const { service, port, host } of published) {
    if (!own.includes(`:${port}->`) && (await isBusy(port, host))) busyPorts.push({ service, port });
  }
  return {
    cli: cli.isOk,
    composeVersion: compose.isOk ? compose.stdout.trim() : undefined,
    engine: readEngine(info),
    config:
      parsed === undefined
        ? { problem: config.problem }
        : { project: parsed.name, services: Object.keys(parsed.services) },
    missingSecrets: Object.values(parsed?.secrets ?? {})
      .filter(({ file }) => file !== undefined && !hasContent(file))
      .map(({ file }) => relative(checkout, file)),
    busyPorts,
    volumes: docker('volume', 'ls', '--format', '{{.Name}}').stdout.split('\n').filter(Boolean),
  };
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
    } else return fail();
  }
  const findings = judgeContainers(await look(composeArgs));
  if (findings.some(({ status }) => status === 'missing')) process.exitCode = 1;
  if (isJson) return console.log(JSON.stringify(findings, null, 2));
  for (const { name, status, detail, fix } of findings) {
    console.log(`${status.padEnd(8)}${name.padEnd(14)}${detail}`);
    if (fix !== undefined) console.log(`${' '.repeat(22)}mend it: ${fix}`);
  }
}

function fail() {
  console.error(usage);
  process.exitCode = 2;
}

const [command, ...rest] = process.argv.slice(2);
if (command === '--help' || command === '-h') console.log(usage);
else if (command === 'secrets' && rest.length === 0) makeSecrets();
else if (command === 'doctor') await doctor(rest);
else fail();
