import kafkajs, { type EachBatchPayload } from 'kafkajs';
import type { Scheduler } from 'fast-check';
import { createKeyedMutex } from '../../src/inbox.ts';
import { trackSchemaFailures } from '../../src/apply/schema-failures.ts';
import { startSweeper } from '../../src/apply/drain.ts';
import type { InboxClock } from '../../src/clock.ts';
import { createPartitionLoop, type PartitionLoop } from '../../src/consume/partition-loop.ts';
import { pauseOnError } from '../../src/consume/pause-on-error.ts';
import { processRetry } from '../../src/consume/process-retry.ts';
import { processSource } from '../../src/consume/process-source.ts';
import { holdWhileOpen } from '../../src/consume/process.ts';
import { InfrastructureError, InvalidEventError } from '../../src/errors.ts';
import { createCircuitBreaker } from '../../src/fail/circuit-breaker.ts';
import type { Publisher } from '../../src/fail/publisher.ts';
import { toReplay } from '../../src/fail/record-formats.ts';
import type { Handler, Message } from '../../src/handler.ts';
import type { InboxMetrics } from '../../src/health/observe.ts';
import { countControls, type Inbox } from '../../src/inbox.ts';
import type { Delivery, SourceRecord } from '../../src/record.ts';
import type { Decoder } from '../../src/schemas/decoder.ts';
import { defaultSettings, type InboxSettings } from '../../src/settings.ts';
import type { InboxStore } from '../../src/store/store.ts';
import { createMemoryDatabase, createMemoryStore } from '../support/memory-store.ts';
import { seededRandom } from '../support/random.ts';
import {
  checkOffset,
  checkRepaired,
  checkWorld,
  deadLettersOf,
  isOpen,
  Violation,
  type DeadLetterCopy,
} from './check.ts';
import { createMemoryBroker, group, partitions, sourceTopic } from './memory-broker.ts';
import { drawScenario } from './scenario.ts';

const settings: InboxSettings = {
  ...defaultSettings,
  batchRecords: 3,
  retryBaseMs: 6,
  maxWaitMs: 400,
  sweepEveryMs: 31,
};
const maxAttempts = 3;
const steps = 400;
const longestDrain = 20_000;
/** Nothing has changed for so many sweeps: nothing will. */
const quietSweeps = 4;

/** A consumer's process: what its memory holds dies with it. */
interface Process {
  isAlive: boolean;
  readonly inbox: Inbox;
  readonly loops: ReadonlyMap<string, PartitionLoop>;
}

/** Thrown to what a process that has died still does: nothing of it may reach anything that outlives it. */
class Crashed extends Error {
  override name = 'Crashed';
}

export interface SimulationOptions {
  /** Chooses which of the waiting steps comes next. */
  readonly scheduler: Scheduler;
  /** Draws the scenario, the trouble and the moments of it. */
  readonly seed: number;
  readonly log?: (line: string) => void;
}

/**
 * Runs two processes of the shipped consumer over a database and brokers in memory: steps in any order, crashes, zombies, copies,
 * lost answers, repairs. Throws a Violation when an invariant does not hold.
 */
export async function simulate({ scheduler, seed, log = () => undefined }: SimulationOptions): Promise<void> {
  const random = seededRandom(seed);
  const scenario = drawScenario(random);
  const { trouble, behaviours } = scenario;
  const database = createMemoryDatabase();
  const broker = createMemoryBroker(maxAttempts - 1);
  const world = { scenario, database, broker, maxAttempts };
  const calls = new Map<string, number>();
  const timers: { readonly atMs: number; readonly isSweep: boolean; readonly work: () => void }[] = [];
  let nowMs = 1;
  let isHealed = false;
  let isRepaired = false;
  /** Grows with everything that changes the brokers. */
  let changes = 0;
  let violation: Error | undefined;

  log(`${scenario.afterDeadLetter} ${JSON.stringify(trouble)}`);
  const strikes = (kind: 'databaseErrors' | 'publishErrors', probability: number): boolean =>
    !isHealed && trouble[kind] && random.chance(probability);

  const clock: InboxClock = {
    now: () => nowMs,
    elapsedMs: () => nowMs,
    after(ms, work) {
      const timer = { atMs: nowMs + Math.max(1, ms), isSweep: ms === settings.sweepEveryMs, work };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer) >>> 0, 1);
    },
  };

  /** Where something else may come first, and where the process may have died meanwhile. */
  async function step(process: Pick<Process, 'isAlive'>, label: string): Promise<void> {
    if (!process.isAlive) throw new Crashed();
    await scheduler.schedule(Promise.resolve(), label);
    if (!process.isAlive) throw new Crashed();
  }

  function openStore(process: Pick<Process, 'isAlive'>): InboxStore {
    return createMemoryStore({
      database,
      consumer: { group, aggregateType: 'thing' },
      nowMs: clock.now,
      async step(where) {
        await step(process, where);
        if (where !== 'lock' && strikes('databaseErrors', 0.06))
          throw Object.assign(new Error('the connection is lost'), { code: 'PROTOCOL_CONNECTION_LOST' });
      },
    });
  }

  function openPublisher(process: Pick<Process, 'isAlive'>): Publisher {
    return {
      async publish(records) {
        if (records.length === 0) return [];
        await step(process, 'publish');
        const fails = strikes('publishErrors', 0.2);
        // Some may be stored although the publish fails: the answer was lost.
        const stored = records.slice(0, fails ? random.below(records.length + 1) : records.length).map((record) => {
          log(`stored ${String(record.headers['id'])} in ${record.topic}`);
          changes += 1;
          return { kind: 'stored' as const, offset: broker.append(record, nowMs) };
        });
        if (fails) throw new InfrastructureError('no answer to a publish');
        await step(process, 'published');
        return stored;
      },
      close: () => Promise.resolve(),
    };
  }

  const decoder: Decoder = {
    prepare: () => Promise.resolve(),
    sample: () => ({ eventType: 'Thing', value: Buffer.alloc(0) }),
    toMessage({ identity, attempt }: Delivery): Message {
      if (behaviours.get(identity.eventId)?.invalid === 'in-decoding' && !isRepaired)
        throw new InvalidEventError('it does not decode');
      return { ...identity, event: { type: 'Thing', data: undefined }, attempt, traceparent: undefined };
    },
  };

  function handleOne({ eventId, attempt }: Message): void {
    const behaviour = behaviours.get(eventId);
    const count = (calls.get(eventId) ?? 0) + 1;
    calls.set(eventId, count);
    if (isRepaired) return;
    if (behaviour?.invalid === 'in-handler') throw new InvalidEventError('it can never be applied');
    if (count > (behaviour?.failures ?? 0)) return;
    log(`failed ${eventId}, attempt ${attempt}`);
    throw new Error('planned');
  }

  const handler: Handler = {
    afterDeadLetter: scenario.afterDeadLetter,
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

  function watch(process: Pick<Process, 'isAlive'>): Inbox['logger'] {
    const quiet = (): void => undefined;
    const info = ({ event, events }: LogLine): void => {
      if (event !== 'inbox.applied') return;
      for (const { eventId, takenFrom, attempt } of events ?? [])
        log(`applied ${eventId} from ${takenFrom}, attempt ${attempt}`);
    };
    const warn = ({ event, kind, err }: LogLine): void => {
      if (event === 'inbox.waiting' && kind === 'unknown' && process.isAlive)
        violation ??= new Violation(`an error that no table knows: ${String(err)}`, { cause: err });
    };
    return { info, warn, error: quiet, debug: quiet } as unknown as Inbox['logger'];
  }

  function boot(): Process {
    const life = { isAlive: true };
    const store = openStore(life);
    const logger = watch(life);
    const metrics = silent as InboxMetrics;
    const alarms = silent as Inbox['alarms'];
    const { elapsedMs } = clock;
    const inbox: Inbox = {
      store,
      publisher: openPublisher(life),
      decoder,
      handler,
      breaker: createCircuitBreaker({ store, settings, alarms, metrics, logger, elapsedMs }),
      schemaFailures: trackSchemaFailures(settings.schemaPatienceMs, elapsedMs),
      controls: countControls(),
      drains: createKeyedMutex(),
      skippedAhead: new Set(),
      maxAttempts,
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
        process: pauseOnError(inbox, () => undefined, holdWhileOpen(inbox.breaker, process)).process,
        clock,
        onCommit: () => undefined,
        onPause: () => undefined,
      });
    };
    const loops = new Map(broker.topics.map((topic) => [topic, loopOf(topic)]));
    if (trouble.sweeps) startSweeper(inbox);
    return Object.assign(life, { inbox, loops });
  }

  /** As kafkajs reads a partition: batch by batch, until another member owns it. */
  async function consume(process: Process, topic: string, partition: number): Promise<void> {
    const generation = broker.assign(topic, partition);
    const isOwner = (): boolean => process.isAlive && broker.isCurrent(topic, partition, generation);
    let position = broker.committed(topic, partition);
    let isPaused = false;
    while (isOwner()) {
      const records = isPaused ? [] : broker.records(topic, partition).slice(position, position + 1 + random.below(5));
      if (records.length === 0) {
        await broker.changed(topic, partition);
        continue;
      }
      await scheduler.schedule(Promise.resolve(), 'fetch');
      if (!isOwner()) return;
      const payload = {
        batch: { topic, partition, messages: records.map(toFetched) },
        isRunning: () => process.isAlive,
        isStale: () => !isOwner(),
        heartbeat: () => Promise.resolve(),
        resolveOffset: (offset: string) => void (position = Number(offset) + 1),
        async commitOffsetsIfNecessary({ topics }: { topics: { partitions: { offset: string }[] }[] }) {
          await step(process, 'commit offset');
          if (!isOwner()) throw new kafkajs.KafkaJSError("the partition is another member's");
          const next = Number(topics[0]?.partitions[0]?.offset);
          broker.commit(topic, partition, next);
          changes += 1;
          try {
            for (const record of broker.records(topic, partition).slice(position, next)) checkOffset(world, record);
          } catch (error) {
            // Kept here: what catches it next makes it an error of its own.
            violation ??= error as Violation;
            throw error;
          }
        },
        pause() {
          isPaused = true;
          return () => {
            isPaused = false;
            broker.wake(topic, partition);
          };
        },
      };
      try {
        await process.loops.get(topic)?.eachBatch(payload as unknown as EachBatchPayload);
      } catch (error) {
        const cause = error instanceof Error ? (error.cause ?? error) : error;
        if (cause instanceof Violation) violation ??= cause;
        // kafkajs starts over from what is committed.
        position = broker.committed(topic, partition);
      }
    }
  }

  const owners = new Map<string, { readonly topic: string; readonly partition: number; process: number }>();
  const processes = [boot(), boot()];
  const operator = openStore({ isAlive: true });
  let left = [...scenario.records];

  function assign(topic: string, partition: number): void {
    const process = random.below(processes.length);
    owners.set(`${topic}/${partition}`, { topic, partition, process });
    void consume(processes[process] as Process, topic, partition);
  }

  function crash(index: number): void {
    log('a process dies');
    (processes[index] as Process).isAlive = false;
    processes[index] = boot();
    for (const { topic, partition, process } of owners.values())
      if (process === index) {
        broker.wake(topic, partition);
        void consume(processes[index], topic, partition);
      }
  }

  function produce(): void {
    const [next, ...rest] = left;
    if (next === undefined) return;
    left = rest;
    broker.append(next, nowMs);
  }

  function replay({ record, identity }: DeadLetterCopy): void {
    log(`replayed ${identity.eventId}`);
    changes += 1;
    broker.append(toReplay(group, record, nowMs), nowMs);
  }

  async function skipByHand({ identity }: DeadLetterCopy): Promise<void> {
    const { aggregateId, version, eventId } = identity;
    await operator.transaction(async ({ marks, skips, parked }) => {
      const locked = await marks.lock([aggregateId]);
      if (locked.get(aggregateId)?.version !== version - 1) return;
      log(`skipped ${eventId} by hand`);
      const moved = new Map([[aggregateId, { version, eventId }]]);
      await marks.move(moved);
      await skips.record([{ identity, decidedBy: 'hand', reason: 'simulated' }]);
      await parked.deletePassed(moved, (await parked.compare(moved)).passed);
    });
  }

  function act(): void {
    const roll = random.below(1_000);
    const owned = random.pick([...owners.values()]);
    if (roll < 300) produce();
    else if (roll < 340) {
      if (trouble.crashes) crash(random.below(processes.length));
    } else if (roll < 370) {
      if (trouble.rebalances && owned) assign(owned.topic, owned.partition);
    } else if (roll < 390) {
      if (!trouble.copies || !owned) return;
      broker.rewind(owned.topic, owned.partition, random.below(1 + broker.committed(owned.topic, owned.partition)));
      assign(owned.topic, owned.partition);
    } else if (roll < 420) {
      const record = random.pick(broker.records(sourceTopic, random.below(partitions)));
      const produced = scenario.records.find(({ headers }) => headers['id'] === (record && idOf(record)));
      if (trouble.copies && produced) broker.append(produced, nowMs);
    } else if (roll < 470) {
      const deadLetter = random.pick(deadLettersOf(world));
      if (!trouble.operator || !deadLetter) return;
      if (random.chance(0.3)) skipByHand(deadLetter).catch(() => undefined);
      else for (let copies = 1 + random.below(3); copies > 0; copies -= 1) replay(deadLetter);
    }
  }

  /** Lets one waiting step happen, or the time pass until a timer is due; false when nothing is left to happen. */
  async function advance(): Promise<boolean> {
    if (scheduler.count() > 0) {
      nowMs += 1;
      await scheduler.waitOne();
    } else {
      const next = Math.min(...timers.map(({ atMs }) => atMs));
      if (next === Infinity) return false;
      nowMs = Math.max(nowMs, next);
    }
    for (const timer of timers.filter(({ atMs }) => atMs <= nowMs)) {
      const at = timers.indexOf(timer);
      if (at !== -1) timers.splice(at, 1)[0]?.work();
    }
    // What follows a step runs until it waits for another one.
    await new Promise(setImmediate);
    if (violation !== undefined) throw violation;
    return true;
  }

  /** Until nothing changes any more, however often the sweep looks. */
  async function drain(): Promise<void> {
    const changed = (): number => changes + database.changes;
    let seen = changed();
    let sinceMs = nowMs;
    // What was just appended wakes its readers first.
    await new Promise(setImmediate);
    for (let count = 0; await advance(); count += 1) {
      if (count > longestDrain) throw new Violation('I8: the drain does not end');
      const isBusy = scheduler.count() > 0 || timers.some(({ isSweep }) => !isSweep);
      if (changed() !== seen) [seen, sinceMs] = [changed(), nowMs];
      if (!isBusy && nowMs - sinceMs > quietSweeps * settings.sweepEveryMs) break;
    }
    for (const { topic, partition } of owners.values())
      if (broker.committed(topic, partition) !== broker.records(topic, partition).length)
        throw new Violation(`I8: ${topic}/${partition} is not read to its end`);
  }

  for (const topic of broker.topics)
    for (let partition = 0; partition < partitions; partition += 1) assign(topic, partition);
  for (let count = 0; count < steps; count += 1) {
    if (random.chance(0.25)) act();
    if (!(await advance())) produce();
  }
  while (left.length > 0) produce();
  isHealed = true;
  log('healed');
  await drain();
  checkWorld(world);
  isRepaired = true;
  log('repaired');
  for (let open = openOf(); open.length > 0; open = openOf()) {
    const before = sumOfMarks();
    open.forEach(replay);
    await drain();
    if (sumOfMarks() === before) throw new Violation('I8: a replay of every open dead letter moves no mark');
  }
  for (const { identity, decidedBy } of database.tables.skipped.values())
    if (decidedBy === 'policy') log(`skipped ${identity.eventId}`);
  checkRepaired(world);
  for (const process of processes) process.isAlive = false;

  function openOf(): DeadLetterCopy[] {
    return deadLettersOf(world).filter((one) => isOpen(world, one));
  }
  function sumOfMarks(): number {
    return [...database.tables.marks.values()].reduce((sum, { version }) => sum + version, 0);
  }
}

interface LogLine {
  readonly event: string;
  readonly kind?: string;
  readonly err?: unknown;
  readonly events?: readonly { readonly eventId: string; readonly takenFrom: string; readonly attempt: number }[];
}

/** For what only tells: any call of it does nothing. */
const silent: unknown = new Proxy({}, { get: () => () => undefined });

function idOf({ headers }: SourceRecord): string {
  return headers.entries.find(([name]) => name === 'id')?.[1]?.toString() ?? '';
}

function toFetched({ origin, key, value, headers }: SourceRecord) {
  const { offset, timestampMs } = origin;
  return { kind: 'record', offset, timestamp: String(timestampMs), key, value, recordHeaders: () => headers };
}
