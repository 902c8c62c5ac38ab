import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { EventSchema } from '@board/contracts';
import { createScope } from '@board/service';
import { databaseEnvironment, uniqueName, waitUntil, type StackAddresses } from '@board/test';
import { expect, onTestFinished } from 'vitest';
import { openBoardPair, type BoardPair } from '../../ops/test/support/open-board-pair.ts';
import { openBoardRoute } from '../../ops/test/support/open-board-route.ts';
import { readSchemaIds } from '../../services/order-service/test/support/read-schema-ids.ts';
import {
  startService,
  type RunningService,
} from '../../services/order-service/test/support/start-service.ts';
import { registerSchemas } from '../../provision/schemas.ts';
import { layOutVersion, type Edit, type LaidOutVersion } from './lay-out-version.ts';
import { stopsSendingWithinMs, startBalancer } from './start-balancer.ts';

const services = ['order-service', 'catalog-service'] as const;
export type Service = (typeof services)[number];

interface Contracts {
  readonly eventSchemas: readonly EventSchema[];
  readonly boardAggregate: { readonly schemas: readonly EventSchema[] };
}

/**
 * Both services on databases, a topic, a group and subjects of one test, each service behind a load
 * balancer.
 */
export interface Upgrade {
  readonly pair: BoardPair;
  readonly topic: string;
  readonly group: string;
  /** What clients ask. */
  readonly urls: Readonly<Record<Service, string>>;
  layOut(edits: readonly Edit[]): LaidOutVersion;
  /** Runs the migrations of both services. */
  migrate(version: LaidOutVersion): Promise<void>;
  /** Registers the version's schemas; resolves to the ids of those of boards. */
  register(version: LaidOutVersion): Promise<readonly number[]>;
  /** Resolves when the balancer gives requests to the new instance. */
  start(version: LaidOutVersion, service: Service): Promise<RunningService>;
  /** Stops it with SIGTERM, without a word to the balancer, and expects an orderly end. */
  stop(instance: RunningService): Promise<void>;
}

export async function openUpgrade(stack: StackAddresses): Promise<Upgrade> {
  const scope = createScope();
  onTestFinished(() => scope.close());
  const name = uniqueName('upgrade');
  const pair = await openBoardPair(stack, name);
  scope.defer('schemas', () => pair.close());
  const { name: topic } = await openBoardRoute(stack, scope, { name, database: pair.source.name });
  const schemas = { 'order-service': pair.source, 'catalog-service': pair.consumer };
  const balancers = {
    'order-service': await startBalancer(),
    'catalog-service': await startBalancer(),
  };
  for (const balancer of Object.values(balancers)) scope.defer('balancer', () => balancer.close());
  let instances = 0;

  return {
    pair,
    topic,
    group: name,
    urls: {
      'order-service': balancers['order-service'].url,
      'catalog-service': balancers['catalog-service'].url,
    },
    layOut(edits) {
      const version = layOutVersion([...inPlacesOf(topic, name), ...patient, ...edits]);
      scope.defer('copy', () => version.remove());
      return version;
    },
    async migrate(version) {
      for (const service of services)
        await promisify(execFile)(
          process.execPath,
          [version.file(`services/${service}/src/migrate.ts`)],
          {
            env: { ...databaseEnvironment(schemas[service].connection), ...compiledOnce(version) },
          },
        );
    },
    async register(version) {
      const { eventSchemas, boardAggregate } = (await import(
        version.file('contracts/src/pipeline.ts')
      )) as Contracts;
      await registerSchemas(stack.registryUrl, eventSchemas);
      const ids = await readSchemaIds(stack.registryUrl, boardAggregate.schemas);
      return [...ids.values()];
    },
    async start(version, service) {
      instances += 1;
      const instance = await startService(
        {
          ...databaseEnvironment(schemas[service].connection),
          INSTANCE: `${service}-${instances}`,
          REGISTRY_URL: stack.registryUrl,
          KAFKA_BROKERS: stack.brokers.join(','),
          REQUEST_DEADLINE_MS: '30000',
          SHUTDOWN_DELAY_MS: String(stopsSendingWithinMs),
          ...compiledOnce(version),
        },
        version.file(`services/${service}/src/main.ts`),
      );
      balancers[service].add(instance.url);
      await waitUntil(`${service} ready`, () => balancers[service].gives(instance.url), {
        timeoutMs: 60_000,
      });
      return instance;
    },
    async stop(instance) {
      instance.stop();
      expect(await instance.ended).toBe(0);
    },
  };
}

/**
 * On a machine that is too busy for the deadlines, the upgrade would seem to be the cause of a slow
 * database.
 */
const patient: readonly Edit[] = [
  {
    file: 'packages/mysql/src/create-database.ts',
    from: 'deadlineMs = 1_800',
    to: 'deadlineMs = 15_000',
  },
  {
    file: 'packages/outbox/src/commit-limits.ts',
    from: 'deadlineMs: 1_800',
    to: 'deadlineMs: 20_000',
  },
  {
    file: 'services/order-service/src/main.ts',
    from: 'deadlineMs = 1_400',
    to: 'deadlineMs = 15_000',
  },
];

/**
 * The services know one topic, one group and its subjects: a copy for a test gets others, so that
 * it meets no other test.
 */
function inPlacesOf(topic: string, group: string): readonly Edit[] {
  return [
    { file: 'contracts/src/board.ts', from: `group: 'catalog-service'`, to: `group: '${group}'` },
    {
      file: 'contracts/src/definitions.ts',
      from: 'subject: `${type}-',
      to: `subject: \`${topic}-`,
    },
    {
      file: 'contracts/src/board.ts',
      from: 'source: boardAggregate.topic,',
      to: `source: { ...boardAggregate.topic, name: '${topic}' },`,
    },
  ];
}

/** Node keeps what it has compiled: the second start of a version takes half the time. */
function compiledOnce(version: LaidOutVersion): Record<string, string> {
  return { NODE_COMPILE_CACHE: version.file('compiled') };
}
