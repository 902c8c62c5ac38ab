const neededGib = 4;
/** The first with `!override`, which the ZooKeeper flavour needs. */
const oldestCompose = [2, 24, 4];
const architectures = ['x86_64', 'amd64', 'aarch64', 'arm64'];

/** One finding for each thing that the containers need; what cannot be told without an earlier one is left out. */
export function judgeContainers(seen) {
  if (!seen.cli) {
    return [
      missing(
        'docker',
        'the command "docker" is not on PATH',
        'install Docker Desktop, or Docker Engine with its compose plugin',
      ),
    ];
  }
  return [ok('docker', 'found'), judgeCompose(seen.composeVersion), ...judgeEngine(seen.engine), ...judgeConfig(seen)];
}

const ok = (name, detail) => ({ name, status: 'ok', detail });
const missing = (name, detail, fix) => ({ name, status: 'missing', detail, fix });

function judgeCompose(version) {
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

function judgeEngine(engine) {
  if (engine.problem !== undefined) {
    const [reason] = engine.problem.split('\n');
    return [
      missing('engine', `it does not answer: ${reason}`, 'start Docker Desktop, or "sudo systemctl start docker"'),
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

function judgeConfig({ config, missingSecrets, busyPorts, volumes }) {
  if (config.problem !== undefined)
    return [missing('configuration', config.problem, 'mend the file or the variable that it names')];
  const isZookeeper = config.services.includes('zookeeper');
  const own = (name) => `${config.project}_${isZookeeper ? 'zookeeper-' : ''}${name}`;
  return [
    ok('configuration', `project ${config.project}, ${config.services.length} services`),
    judgeSecrets(missingSecrets, volumes.includes(own('mysql')) ? own('mysql') : undefined),
    judgePorts(busyPorts),
    ...judgeVolumes(config.project, isZookeeper, volumes),
  ];
}

function judgeSecrets(files, mysqlVolume) {
  if (files.length === 0) return ok('secrets', 'all there');
  return mysqlVolume === undefined
    ? missing('secrets', `missing or empty: ${files.join(', ')}`, 'npm run containers -- secrets')
    : missing(
        'secrets',
        `missing or empty: ${files.join(', ')}, while the volume ${mysqlVolume} has data that older passwords protect`,
        'bring the files back, or delete the data with "docker compose down -v" and run "npm run containers -- secrets"',
      );
}

function judgePorts(busy) {
  if (busy.length === 0) return ok('ports', 'free, or used by these containers');
  const list = busy.map(({ service, port }) => `${port} (for ${service})`).join(', ');
  return missing(
    'ports',
    `in use by another program: ${list}`,
    'stop it, or choose other ports in .env (see .env.example)',
  );
}

function judgeVolumes(project, isZookeeper, volumes) {
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
