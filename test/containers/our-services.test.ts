import { consumerEnvironment } from '@board/inbox';
import { afterAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { provisionSteps } from '../../provision/steps.ts';
import { serviceSchema as keeperSchema } from '../../services/keeper/src/config.ts';
import { serviceSchema as orderSchema } from '../../services/order-service/src/config.ts';
import { listPorts, portsAt } from '../../stack/instance/ports.ts';
import {
  catalogService,
  consumerService,
  keeper,
  moreConsumers,
  orderService,
} from '../../stack/servers/our-services.ts';
import type { Server } from '../../stack/servers/server.ts';
import { nativeContext } from './native-settings.ts';
import { type ComposeService, readCompose, readText } from './read-compose.ts';

const compose = readCompose('docker-compose.yml');
const zookeeper = readCompose('docker-compose.zookeeper.yml');
const { context, remove } = nativeContext();
afterAll(remove);

const service = (name: string): ComposeService => {
  const found = compose.services[name];
  if (found === undefined) throw new Error(`docker-compose.yml has no service ${name}`);
  return found;
};
const environmentOf = (name: string): Record<string, string> => service(name).environment;

describe('our services', () => {
  const started: readonly (readonly [string, Server, z.ZodObject])[] = [
    ['order-service', orderService(context), orderSchema],
    ['catalog-service-1', catalogService(context, 1), consumerEnvironment('catalog-service')],
    ['catalog-service-2', catalogService(context, 2), consumerEnvironment('catalog-service')],
    ...moreConsumers.map(
      (consumer) =>
        [
          consumer.group,
          consumerService(context, consumer),
          consumerEnvironment(consumer.group),
        ] as const,
    ),
    ['keeper', keeper(context), keeperSchema],
  ];
  it.each(started)(
    '%s gets the variables that the launcher gives it, and its own secret as a file',
    async (name, server, schema) => {
      const { env = {}, args } = await server.command();
      const container = environmentOf(name);
      const { DATABASE_PASSWORD_FILE: file, ...rest } = container;
      const { DATABASE_PASSWORD: _, NODE_COMPILE_CACHE: __, ...native } = env;
      expect(Object.keys(rest).toSorted()).toEqual(Object.keys(native).toSorted());
      for (const same of ['INSTANCE', 'DATABASE_NAME', 'DATABASE_USER'] as const)
        expect(rest[same]).toBe(native[same]);
      expect(file).toBe(`/run/secrets/${native['DATABASE_USER']}`);
      expect(service(name).secrets).toEqual([native['DATABASE_USER']]);
      expect(Object.keys(schema.shape)).toEqual(expect.arrayContaining(Object.keys(rest)));
      const main = args.at(-1) ?? '';
      const started = service(name).command ?? ['node', 'services/order-service/src/main.ts'];
      expect(main.endsWith(started.at(-1) ?? 'nothing')).toBe(true);
    },
  );

  it('the setup runs all of its steps, users first', () => {
    const steps = ['setup-users', 'setup'].flatMap((name) =>
      (service(name).command ?? []).slice(2),
    );
    expect(steps).toEqual(provisionSteps.map(({ name }) => name));
  });

  const ours = Object.entries(compose.services).filter(([, { image }]) =>
    image?.startsWith('board-pipeline:'),
  );

  it('docs/containers.md and docs/your-own-events.md run those commands that there are', () => {
    const texts = readText('docs/containers.md') + readText('docs/your-own-events.md');
    const shown = [...texts.matchAll(/docker compose run --rm ([\w-]+)/g)].map(
      ([, name = '']) => name,
    );
    const commands = Object.entries(compose.services)
      .filter(([, { profiles }]) => profiles.includes('commands'))
      .map(([name]) => name);
    expect(shown.filter((name) => !commands.includes(name))).toEqual([]);
    // Those of a consumer that runs only when it is asked for are one command with another
    // password.
    expect(commands.filter((name) => !shown.includes(name) && !/-(dlq|inbox)$/.test(name))).toEqual(
      [],
    );
  });

  it.each(ours)('%s is read-only, without privileges and not root', (_name, container) => {
    expect(container).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    });
    expect(container.user).toBeUndefined();
    expect(readText('Dockerfile')).toMatch(/^USER node$/m);
  });
});

describe('every container', () => {
  const all = Object.entries({ ...compose.services, zookeeper: zookeeper.services['zookeeper'] });

  it.each(all)(
    '%s has an exact version, a limit to its memory, and ports on loopback only',
    (_name, container) => {
      expect(container?.image).toMatch(/:v?\d+\.\d+\.\d+(\.Final)?$/);
      expect(container?.mem_limit).toMatch(/^\d+[mg]$/);
      for (const port of container?.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
      expect(container?.['privileged']).toBeUndefined();
    },
  );

  it.each(all)('%s has no secret in its environment', (_name, container) => {
    const open = Object.keys(container?.environment ?? {}).filter((key) =>
      /PASSWORD$|SECRET$|TOKEN$/.test(key),
    );
    expect(open).toEqual([]);
  });

  it('is published where the native one listens', () => {
    const published = Object.entries(compose.services).flatMap(([name, { ports }]) =>
      ports.flatMap((port) => {
        const [, host] = port.split(':');
        return host === '' || host === undefined ? [] : [[name, Number(host)] as const];
      }),
    );
    const native = new Map(listPorts(portsAt(0), 'kraft').map(({ owner, port }) => [owner, port]));
    const shared = published.filter(([name]) => native.has(name));
    expect(shared.map(([name]) => name)).toEqual(
      expect.arrayContaining([
        'mysql',
        'kafka-1',
        'kafka-2',
        'kafka-3',
        'registry',
        'connect',
        'order-service',
      ]),
    );
    for (const [name, port] of shared) expect([name, port]).toEqual([name, native.get(name)]);
    expect(new Set(published.map(([, port]) => port)).size).toBe(published.length);
  });

  it('takes its port from a variable that .env.example shows with its default', () => {
    const taken = readText('docker-compose.yml').matchAll(/\$\{(\w+_PORT):-(\d+)\}/g);
    const shown = readText('.env.example').matchAll(/^#(\w+_PORT)=(\d+)$/gm);
    const lines = (matches: Iterable<RegExpExecArray>): string[] =>
      [...new Set([...matches].map(([, name, port]) => `${name}=${port}`))].toSorted();
    expect(lines(taken)).toEqual(lines(shown));
  });
});

describe('secrets', () => {
  it('are one file for each MySQL user, and one for Grafana', () => {
    const { root, ...users } = context.secrets;
    expect(root).toBeDefined();
    expect(Object.keys(compose.secrets).toSorted()).toEqual(
      ['root', 'grafana', ...Object.keys(users)].toSorted(),
    );
    for (const [name, { file }] of Object.entries(compose.secrets))
      expect(file).toBe(`.secrets/${name}`);
    expect(readText('.gitignore')).toMatch(/^\.secrets\/$/m);
  });

  it('go to those only who need them: no container of the pipeline but the setup gets more than one', () => {
    const many = Object.entries(compose.services).filter(([, { secrets }]) => secrets.length > 1);
    expect(many.map(([name]) => name)).toEqual(['setup-users', 'setup']);
  });
});
