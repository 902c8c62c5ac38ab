const neededGib = 4;
/** The first with `!override`, which the ZooKeeper flavour needs. */
const oldestCompose = [2, 24, 4];
const architectures = ['x86_64', 'amd64', 'aarch64', 'arm64'];

/**
 * One finding for each thing that the containers need; what depends on an earlier one that is
 * missing is left out.
 */
export function checkContainers(seen) {
  if (!seen.cli) {
    return [
      missing(
        'docker',
        'the command "docker" is not on PATH',
        'install Docker Desktop, or Docker Engine with its compose plugin',
      ),
    ];
  }
  return [
    ok('docker', 'found'),
    checkCompose(seen.composeVersion),
    ...checkEngine(seen.engine),
    ...checkConfig(seen),
  ];
}

const ok = (name, detail) => ({ name, status: 'ok', detail });
const missing = (name, detail, fix) => ({ name, status: 'missing', detail, fix });
const skipped = (name, detail) => ({ name, status: 'skipped', detail });

function checkCompose(version) {
  const fix = `install the compose plugin ${oldestCompose.join('.')} or later`;
  if (version === undefined) return missing('compose', '"docker compose" does not answer', fix);
  return isOlder(version, oldestCompose)
    ? missing('compose', `version ${version} is too old`, fix)
    : ok('compose', version);
}

function isOlder(version, oldest) {
  const numbers = version
    .replace(/^v/, '')
    .split(/[.+~-]/)
    .map(Number);
  for (const [index, wanted] of oldest.entries()) {
    const given = numbers[index] ?? 0;
    if (given !== wanted) return given < wanted;
  }
  return false;
}

function checkEngine(engine) {
  if (engine.problem !== undefined) {
    const [reason] = engine.problem.split('\n');
    return [
      missing(
        'engine',
        `it does not answer: ${reason}`,
        'start Docker Desktop, or "sudo systemctl start docker"',
      ),
    ];
  }
  const { os, architecture, memoryBytes } = engine;
  const gib = memoryBytes / 1024 ** 3;
  return [
    os === 'linux' && architectures.includes(architecture)
      ? ok('engine', `${os} ${architecture}`)
      : missing(
          'engine',
          `it runs ${os} ${architecture}, and the images exist for linux amd64 and arm64`,
          'use an engine for one of these',
        ),
    gib >= neededGib
      ? ok('memory', `the engine has ${gib.toFixed(1)} GiB`)
      : missing(
          'memory',
          `the engine has ${gib.toFixed(1)} GiB, ${neededGib} needed`,
          'give it more (Docker Desktop: Settings, Resources), or use a larger machine',
        ),
  ];
}

function checkConfig({ composeVersion, config, missingSecrets, busyPorts, volumes }) {
  const { project, services } = config;
  const isZookeeper = services?.includes('zookeeper') ?? false;
  const own = `${project}_${isZookeeper ? 'zookeeper-' : ''}mysql`;
  return [
    services === undefined
      ? checkUnread(composeVersion, config)
      : ok('configuration', `project ${project}, ${services.length} services`),
    checkSecrets(missingSecrets, volumes.includes(own) ? own : undefined),
    ...checkPorts(busyPorts),
    ...(services === undefined ? [] : checkVolumes(project, isZookeeper, volumes)),
  ];
}

/** Compose reports which number is wrong, but not where it comes from. */
function checkUnread(composeVersion, { problem, wrongPorts }) {
  if (wrongPorts.length > 0) {
    return missing(
      'configuration',
      wrongPorts
        .map(({ variable, value }) => `${variable} is "${value}", must be a port from 0 to 65535`)
        .join('; '),
      'set it right, or take it out, in .env or the environment',
    );
  }
  return composeVersion === undefined
    ? skipped('configuration', 'not looked at: only "docker compose" can read all of it')
    : missing('configuration', problem, 'fix the file or the variable that it names');
}

function checkSecrets(files, mysqlVolume) {
  if (files.length === 0) return ok('secrets', 'all there');
  return mysqlVolume === undefined
    ? missing('secrets', `missing or empty: ${files.join(', ')}`, 'npm run containers -- secrets')
    : missing(
        'secrets',
        `missing or empty: ${files.join(', ')}, while the volume ${mysqlVolume} has data that older passwords protect`,
        'bring the files back, or delete the data with "docker compose down -v" and run "npm run containers -- secrets"',
      );
}

function checkPorts(busy) {
  if (busy.length === 0) return [ok('ports', 'free, or used by these containers')];
  const byUser = new Map();
  for (const one of busy) byUser.set(one.stack, [...(byUser.get(one.stack) ?? []), one]);
  return [...byUser].map(([stack, ports]) => {
    const list = ports.map(({ service, port }) => `${port} (for ${service})`).join(', ');
    const other = 'choose other ports in .env (see .env.example)';
    return stack === undefined
      ? missing('ports', `in use by another program: ${list}`, `stop it, or ${other}`)
      : missing(
          'ports',
          `in use by the native stack "${stack}", which runs from this checkout: ${list}`,
          `npm run stack -- down${stack === 'main' ? '' : ` --instance ${stack}`}, or ${other}`,
        );
  });
}

function checkVolumes(project, isZookeeper, volumes) {
  const isForeign = (name) => name === `${project}_${isZookeeper ? '' : 'zookeeper-'}kafka-1`;
  if (!volumes.some(isForeign)) return [];
  const other = isZookeeper ? 'KRaft' : 'ZooKeeper';
  const files = isZookeeper ? '' : ' -f docker-compose.yml -f docker-compose.zookeeper.yml';
  return [
    ok(
      'volumes',
      `the ${other} flavour has left data, which this one does not touch ("docker compose${files} down -v" deletes it)`,
    ),
  ];
}
