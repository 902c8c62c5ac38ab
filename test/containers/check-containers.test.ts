import { describe, expect, it } from 'vitest';
import { checkContainers } from '../../infra/containers/check-containers.mjs';

const gib = 1024 ** 3;
const well = {
  cli: true,
  composeVersion: '2.40.3-3',
  engine: { os: 'linux', architecture: 'x86_64', memoryBytes: 8 * gib },
  config: { project: 'board', services: ['mysql'] },
  missingSecrets: [],
  busyPorts: [],
  volumes: ['board_mysql', 'board_kafka-1', 'other_zookeeper-kafka-1'],
};
const missing = (seen: Partial<Parameters<typeof checkContainers>[0]>): string[] =>
  checkContainers({ ...well, ...seen })
    .filter(({ status }) => status === 'missing')
    .map(({ name, detail, fix }) => `${name}: ${detail}; ${fix}`);

describe('checkContainers', () => {
  it('finds nothing where all is well', () => {
    expect(missing({})).toEqual([]);
    expect(checkContainers(well).map(({ name }) => name)).not.toContain('volumes');
  });

  it.each([
    ['no docker', { cli: false }, 'docker: the command "docker" is not on PATH; install Docker'],
    [
      'no compose',
      {
        composeVersion: undefined,
        config: { project: 'board', problem: undefined, wrongPorts: [] },
      },
      'compose: "docker compose" does not answer; install',
    ],
    [
      'an old compose',
      { composeVersion: 'v2.24.3' },
      'compose: version v2.24.3 is too old; install',
    ],
    [
      'an engine that does not run',
      { engine: { problem: 'Cannot connect to the Docker daemon.\nIs it running?' } },
      'engine: it does not answer: Cannot connect to the Docker daemon.; start Docker Desktop',
    ],
    [
      'the wrong architecture',
      { engine: { ...well.engine, architecture: 'riscv64' } },
      'engine: it runs linux riscv64, and the images exist for linux amd64 and arm64; use',
    ],
    [
      'Windows containers',
      { engine: { ...well.engine, os: 'windows' } },
      'engine: it runs windows x86_64',
    ],
    [
      'too little memory',
      { engine: { ...well.engine, memoryBytes: 2 * gib } },
      'memory: the engine has 2.0 GiB, 4 needed; give it more',
    ],
    [
      'a missing secret',
      { missingSecrets: ['.secrets/cdc'], volumes: [] },
      'secrets: missing or empty: .secrets/cdc; npm run containers -- secrets',
    ],
    [
      'a missing secret of data that exists',
      { missingSecrets: ['.secrets/root'] },
      'secrets: missing or empty: .secrets/root, while the volume board_mysql has data that older passwords protect; bring the files back',
    ],
    [
      'a taken port',
      { busyPorts: [{ service: 'order-service', port: 8080 }] },
      'ports: in use by another program: 8080 (for order-service); stop it, or choose other ports in .env',
    ],
    [
      'a port of the native stack',
      { busyPorts: [{ service: 'order-service', port: 8080, stack: 'main' }] },
      'ports: in use by the native stack "main", which runs from this checkout: 8080 (for order-service); npm run stack -- down, or choose',
    ],
    [
      'a port of another native stack',
      { busyPorts: [{ service: 'order-service', port: 8080, stack: 'older' }] },
      '; npm run stack -- down --instance older, or choose',
    ],
    [
      'a broken file',
      { config: { project: 'board', problem: 'yaml: line 3', wrongPorts: [] } },
      'configuration: yaml: line 3; fix the file',
    ],
    [
      'a wrong port number',
      {
        config: {
          project: 'board',
          problem: 'Invalid hostPort: abc',
          wrongPorts: [{ variable: 'ORDER_SERVICE_PORT', value: 'abc' }],
        },
      },
      'configuration: ORDER_SERVICE_PORT is "abc", must be a port from 0 to 65535; set it right',
    ],
  ])('%s is one finding with its fix', (_what, seen, words) => {
    const found = missing(seen);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(words);
  });

  it('skips the configuration without compose, and checks secrets and ports all the same', () => {
    const findings = checkContainers({
      ...well,
      composeVersion: undefined,
      config: { project: 'board', problem: undefined, wrongPorts: [] },
      missingSecrets: ['.secrets/cdc'],
      busyPorts: [{ service: 'mysql', port: 13306 }],
    });
    expect(findings.map(({ name, status }) => `${name} ${status}`)).toEqual([
      'docker ok',
      'compose missing',
      'engine ok',
      'memory ok',
      'configuration skipped',
      'secrets missing',
      'ports missing',
    ]);
  });

  it.each([
    [['mysql'], 'board_zookeeper-kafka-1', 'ZooKeeper', '-f docker-compose.zookeeper.yml down -v'],
    [['mysql', 'zookeeper'], 'board_kafka-1', 'KRaft', '"docker compose down -v"'],
  ])(
    'with %j, the volume %s is named as what the %s flavour left',
    (services, volume, other, way) => {
      const findings = checkContainers({
        ...well,
        config: { project: 'board', services },
        volumes: [volume],
      });
      const { detail } = findings.find(({ name }) => name === 'volumes') ?? {};
      expect(detail).toContain(`the ${other} flavour has left data`);
      expect(detail).toContain(way);
    },
  );
});
