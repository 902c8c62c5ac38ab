import { toReplay } from '../../src/fail/record-formats.ts';
import type { SourceRecord } from '../../src/record.ts';
import {
  checkRepaired,
  checkWorld,
  deadLettersOf,
  isOpen,
  Violation,
  type DeadLetterCopy,
} from './check.ts';
import { openStore, prepareProcesses } from './consumer-process.ts';
import { createEnvironment, settings, type SimulationOptions } from './environment.ts';
import { startMembers } from './members.ts';
import { group, partitions, sourceTopic } from './memory-broker.ts';

const steps = 400;
const mostDrainRounds = 20_000;
/** Nothing has changed for so many sweeps: nothing will. */
const quietSweeps = 4;

/**
 * Runs two processes of the shipped consumer over a database and brokers in memory: steps in any
 * order, crashes, zombies, copies, lost answers, repairs. Throws a Violation when an invariant does
 * not hold.
 */
export async function simulate(options: SimulationOptions): Promise<void> {
  const run = createEnvironment(options);
  const { clock, log, random, world } = run;
  const { broker, database, scenario } = world;
  const { trouble } = scenario;
  const members = startMembers(run, prepareProcesses(run));
  const operator = openStore(run, { isAlive: true });
  let left = [...scenario.records];

  function produce(): void {
    const [next, ...rest] = left;
    if (next === undefined) return;
    left = rest;
    broker.append(next, clock.now());
  }

  function replay({ record, identity }: DeadLetterCopy): void {
    log(`replayed ${identity.eventId}`);
    run.changes += 1;
    broker.append(toReplay(group, record, clock.now()), clock.now());
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
    const owned = random.pick(members.owned());
    if (roll < 300) produce();
    else if (roll < 340) {
      if (trouble.crashes) members.crash();
    } else if (roll < 370) {
      if (trouble.rebalances && owned) members.assign(owned.topic, owned.partition);
    } else if (roll < 390) {
      if (!trouble.copies || !owned) return;
      broker.rewind(
        owned.topic,
        owned.partition,
        random.below(1 + broker.committed(owned.topic, owned.partition)),
      );
      members.assign(owned.topic, owned.partition);
    } else if (roll < 420) {
      const record = random.pick(broker.records(sourceTopic, random.below(partitions)));
      const produced = scenario.records.find(
        ({ headers }) => headers['id'] === (record && idOf(record)),
      );
      if (trouble.copies && produced) broker.append(produced, clock.now());
    } else if (roll < 470) {
      const deadLetter = random.pick(deadLettersOf(world));
      if (!trouble.operator || !deadLetter) return;
      if (random.chance(0.3)) skipByHand(deadLetter).catch(() => undefined);
      else for (let copies = 1 + random.below(3); copies > 0; copies -= 1) replay(deadLetter);
    }
  }

  /** Until nothing changes any more, however often the sweep runs. */
  async function drain(): Promise<void> {
    const changed = (): number => run.changes + database.changes;
    let seen = changed();
    let sinceMs = clock.now();
    // What was just appended wakes its readers first.
    await new Promise(setImmediate);
    for (let count = 0; await run.advance(); count += 1) {
      if (count > mostDrainRounds) throw new Violation('I8: the drain does not end');
      if (changed() !== seen) [seen, sinceMs] = [changed(), clock.now()];
      if (!run.isBusy() && clock.now() - sinceMs > quietSweeps * settings.sweepEveryMs) break;
    }
    for (const { topic, partition } of members.owned())
      if (broker.committed(topic, partition) !== broker.records(topic, partition).length)
        throw new Violation(`I8: ${topic}/${partition} is not read to its end`);
  }

  for (const topic of broker.topics)
    for (let partition = 0; partition < partitions; partition += 1)
      members.assign(topic, partition);
  for (let count = 0; count < steps; count += 1) {
    if (random.chance(0.25)) act();
    if (!(await run.advance())) produce();
  }
  while (left.length > 0) produce();
  run.isHealed = true;
  log('healed');
  await drain();
  checkWorld(world);
  run.isRepaired = true;
  log('repaired');
  for (let open = openOf(); open.length > 0; open = openOf()) {
    const before = sumOfMarks();
    open.forEach(replay);
    await drain();
    if (sumOfMarks() === before)
      throw new Violation('I8: a replay of every open dead letter moves no mark');
  }
  for (const { identity, decidedBy } of database.tables.skipped.values())
    if (decidedBy === 'policy') log(`skipped ${identity.eventId}`);
  checkRepaired(world);
  members.stop();

  function openOf(): DeadLetterCopy[] {
    return deadLettersOf(world).filter((one) => isOpen(world, one));
  }
  function sumOfMarks(): number {
    return [...database.tables.marks.values()].reduce((sum, { version }) => sum + version, 0);
  }
}

function idOf({ headers }: SourceRecord): string {
  return headers.entries.find(([name]) => name === 'id')?.[1]?.toString() ?? '';
}
