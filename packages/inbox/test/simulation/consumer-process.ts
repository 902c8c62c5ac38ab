import { createKeyedMutex, countControls, type Inbox } from '../../src/inbox.ts';
import { startSweeper } from '../../src/apply/drain.ts';
import { trackSchemaFailures } from '../../src/apply/schema-failures.ts';
import { createPartitionLoop, type PartitionLoop } from '../../src/consume/partition-loop.ts';
import { pauseOnError } from '../../src/consume/pause-on-error.ts';
import { processRetry } from '../../src/consume/process-retry.ts';
import { processSource } from '../../src/consume/process-source.ts';
import { holdWhileOpen } from '../../src/consume/process.ts';
import { InfrastructureError, InvalidEventError } from '../../src/errors.ts';
import { createCircuitBreaker } from '../../src/fail/circuit-breaker.ts';
import type { Publisher } from '../../src/fail/publisher.ts';
import type { Handler, Message } from '../../src/handler.ts';
import type { InboxMetrics } from '../../src/health/observe.ts';
import type { Delivery } from '../../src/record.ts';
import type { Decoder } from '../../src/schemas/decoder.ts';
import type { InboxStore } from '../../src/store/store.ts';
import { createMemoryStore } from '../support/memory-store/memory-store.ts';
import { Violation } from './check.ts';
import { settings, type Environment, type Mortal } from './environment.ts';
import { group, sourceTopic } from './memory-broker.ts';

/** A consumer's process: what its memory holds dies with it. */
export interface Process extends Mortal {
  readonly inbox: Inbox;
  readonly loops: ReadonlyMap<string, PartitionLoop>;
}

/** Returns what starts one more process of the consumer. */
export function prepareProcesses(run: Environment): () => Process {
  const { clock, random, world } = run;
  const { decoder, handler } = planEvents(run);

  return function boot(): Process {
    const life = { isAlive: true };
    const store = openStore(run, life);
    const logger = watch(run, life);
    const metrics = silent as InboxMetrics;
    const alarms = silent as Inbox['alarms'];
    const { elapsedMs } = clock;
    const inbox: Inbox = {
      consumerFlag: '',
      store,
      publisher: openPublisher(run, life),
      decoder,
      handler,
      breaker: createCircuitBreaker({ store, settings, alarms, metrics, logger, elapsedMs }),
      schemaFailures: trackSchemaFailures(settings.schemaPatienceMs, elapsedMs),
      controls: countControls(),
      drains: createKeyedMutex(),
      skippedAhead: new Set(),
      maxAttempts: world.maxAttempts,
      settings,
      clock,
      random: () => random.fraction(),
      logger,
      metrics,
      alarms,
    };
    const loopOf = (topic: string): PartitionLoop => {
      const process = topic === sourceTopic ? processSource(inbox) : processRetry(inbox);
      return createPartitionLoop({
        sliceRecords: settings.batchRecords,
        process: pauseOnError(inbox, () => undefined, holdWhileOpen(inbox.breaker, process))
          .process,
        clock,
        onCommit: () => undefined,
        onPause: () => undefined,
      });
    };
    const loops = new Map(world.broker.topics.map((topic) => [topic, loopOf(topic)]));
    if (world.scenario.trouble.sweeps) startSweeper(inbox);
    return Object.assign(life, { inbox, loops });
  };
}

export function openStore(run: Environment, process: Readonly<Mortal>): InboxStore {
  return createMemoryStore({
    database: run.world.database,
    consumer: { group, aggregateType: 'thing' },
    nowMs: run.clock.now,
    async step(where) {
      await run.step(process, where);
      if (where !== 'lock' && run.strikes('databaseErrors', 0.06))
        throw Object.assign(new Error('the connection is lost'), {
          code: 'PROTOCOL_CONNECTION_LOST',
        });
    },
  });
}

function openPublisher(run: Environment, process: Readonly<Mortal>): Publisher {
  const { clock, log, random, world } = run;
  return {
    async publish(records) {
      if (records.length === 0) return [];
      await run.step(process, 'publish');
      const fails = run.strikes('publishErrors', 0.2);
      // Some may be stored although the publish fails: the answer was lost.
      const stored = records
        .slice(0, fails ? random.below(records.length + 1) : records.length)
        .map((record) => {
          log(`stored ${String(record.headers['id'])} in ${record.topic}`);
          run.changes += 1;
          return { kind: 'stored' as const, offset: world.broker.append(record, clock.now()) };
        });
      if (fails) throw new InfrastructureError('no answer to a publish');
      await run.step(process, 'published');
      return stored;
    },
    close: () => Promise.resolve(),
  };
}

/**
 * How every process of the run decodes and handles an event: what the scenario has planned for it.
 */
function planEvents(run: Environment): { readonly decoder: Decoder; readonly handler: Handler } {
  const { log, random, world } = run;
  const { afterDeadLetter, behaviours } = world.scenario;
  const calls = new Map<string, number>();

  const decoder: Decoder = {
    prepare: () => Promise.resolve(),
    sample: () => ({ eventType: 'Thing', value: Buffer.alloc(0) }),
    toMessage({ identity, attempt }: Delivery): Message {
      if (behaviours.get(identity.eventId)?.invalid === 'in-decoding' && !run.isRepaired)
        throw new InvalidEventError('it does not decode');
      return {
        ...identity,
        event: { type: 'Thing', data: undefined },
        attempt,
        traceparent: undefined,
      };
    },
  };

  function handleOne({ eventId, attempt }: Message): void {
    const behaviour = behaviours.get(eventId);
    const count = (calls.get(eventId) ?? 0) + 1;
    calls.set(eventId, count);
    if (run.isRepaired) return;
    if (behaviour?.invalid === 'in-handler') throw new InvalidEventError('it can never be applied');
    if (count > (behaviour?.failures ?? 0)) return;
    log(`failed ${eventId}, attempt ${attempt}`);
    throw new Error('planned');
  }

  const handler: Handler = {
    afterDeadLetter,
    async handle(message, tx) {
      handleOne(message);
      const { eventId, aggregateId, version } = message;
      await tx.query('INSERT', [{ eventId, aggregateId, version }]);
    },
    ...(random.chance(0.5) && {
      async handleBatch(messages, tx) {
        messages.forEach(handleOne);
        for (const { eventId, aggregateId, version } of messages)
          await tx.query('INSERT', [{ eventId, aggregateId, version }]);
      },
    }),
  };

  return { decoder, handler };
}

function watch(run: Environment, process: Readonly<Mortal>): Inbox['logger'] {
  const quiet = (): void => undefined;
  const info = ({ event, events }: LogLine): void => {
    if (event !== 'inbox.applied') return;
    for (const { eventId, takenFrom, attempt } of events ?? [])
      run.log(`applied ${eventId} from ${takenFrom}, attempt ${attempt}`);
  };
  const warn = ({ event, kind, err }: LogLine): void => {
    if (event === 'inbox.waiting' && kind === 'unknown' && process.isAlive)
      run.violation ??= new Violation(`an error that no table knows: ${String(err)}`, {
        cause: err,
      });
  };
  return { info, warn, error: quiet, debug: quiet } as unknown as Inbox['logger'];
}

interface LogLine {
  readonly event: string;
  readonly kind?: string;
  readonly err?: unknown;
  readonly events?: readonly {
    readonly eventId: string;
    readonly takenFrom: string;
    readonly attempt: number;
  }[];
}

/** For loggers and metrics: any call of it does nothing. */
const silent: unknown = new Proxy({}, { get: () => () => undefined });
