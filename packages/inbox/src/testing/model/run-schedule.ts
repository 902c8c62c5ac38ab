import { retryTopicName } from '@board/contracts';
import { sendableHeaders } from '../../route/route-headers.ts';
import { checkMended, checkModel, lettersOf, Violation } from './check-model.ts';
import type { Memory } from './model-apply.ts';
import { drawEvents, drawTrouble, toRecord } from './draw-schedule.ts';
import { modelConsume, modelSweeper } from './model-consume.ts';
import { openLetters, replayLetter, skipByHand } from './model-operator.ts';
import { createModel, group, partitions, sourceTopic, type Model, type PlantedBug, type Steps } from './model.ts';
import { seededRandom } from './random.ts';

interface Process {
  memory: Memory;
  tasks: Steps[];
}

const steps = 260;
const longestDrain = 40_000;

/** Runs one schedule; returns what it violates, if anything. The same seed runs the same schedule. */
export function runSchedule(
  seed: number,
  options: { bug?: PlantedBug; log?: (line: string) => void } = {},
): Violation | undefined {
  const random = seededRandom(seed);
  const model = createModel({
    random,
    trouble: drawTrouble(random),
    afterDeadLetter: random.chance(0.6) ? 'block' : 'skip',
    bug: options.bug,
    log: options.log ?? (() => undefined),
  });
  model.log(`${model.afterDeadLetter} ${JSON.stringify(model.trouble)}`);
  try {
    runTrouble(model);
    return undefined;
  } catch (error) {
    // Any error of the code under test is a finding too.
    return error instanceof Violation ? error : new Violation(String(error), { cause: error });
  }
}

function runTrouble(model: Model): void {
  const { random, trouble, kafka } = model;
  const processes: Process[] = [newProcess(), newProcess()];
  const operator: Steps[] = [];
  const topics = [
    sourceTopic,
    ...Array.from({ length: model.settings.maxAttempts - 1 }, (_, index) => retryTopicName(group, index + 1)),
  ];
  const owners = new Map<string, { topic: string; partition: number; process: Process }>();
  let pending = drawEvents(model);

  function assign(topic: string, partition: number): void {
    const process = random.pick(processes);
    if (!process) return;
    const generation = kafka.assign(topic, partition);
    owners.set(`${topic}/${partition}`, { topic, partition, process });
    process.tasks.push(modelConsume(model, process.memory, { topic, partition, generation }));
  }
  function boot(process: Process): void {
    process.memory = { marks: new Map() };
    if (trouble.sweeps) process.tasks.push(modelSweeper(model, process.memory));
  }
  function crash(process: Process): void {
    model.log('a process dies');
    for (const task of process.tasks.splice(0)) task.return();
    boot(process);
    for (const owned of owners.values()) if (owned.process === process) assign(owned.topic, owned.partition);
  }
  function produce(): void {
    const next = pending[0];
    if (!next) return;
    pending = pending.slice(1);
    kafka.append(toRecord(next), model.nowMs);
  }
  function act(): void {
    const roll = random.below(1_000);
    if (roll < 120) produce();
    else if (roll < 140) {
      const process = random.pick(processes);
      if (trouble.crashes && process) crash(process);
    } else if (roll < 155) {
      const owned = random.pick([...owners.values()]);
      if (trouble.rebalances && owned) assign(owned.topic, owned.partition);
    } else if (roll < 165) {
      const owned = random.pick([...owners.values()]);
      if (trouble.copies && owned) {
        kafka.rewind(owned.topic, owned.partition, random.below(1 + kafka.committed(owned.topic, owned.partition)));
        assign(owned.topic, owned.partition);
      }
    } else if (roll < 180) {
      const record = random.pick(kafka.records(sourceTopic, random.below(partitions)));
      if (trouble.copies && record)
        kafka.append(
          {
            ...record,
            topic: sourceTopic,
            partition: record.origin.partition,
            headers: sendableHeaders(record.headers),
          },
          model.nowMs,
        );
    } else if (roll < 200) {
      const letter = random.pick(lettersOf(model));
      if (!trouble.operator || !letter) return;
      if (random.chance(0.7))
        for (let copies = 1 + random.below(3); copies > 0; copies -= 1) replayLetter(model, letter);
      else operator.push(skipByHand(model, letter));
    }
  }
  function stepOne(tasks: Steps[], index: number): 'idle' | 'step' {
    const result = tasks[index]?.next();
    if (result?.done !== true) return result?.value ?? 'idle';
    tasks.splice(index, 1);
    return 'step';
  }

  /** Everybody in turn until nobody has anything to do. */
  function drain(): void {
    let quietRounds = 0;
    for (let rounds = 0; quietRounds < 3; rounds += 1) {
      if (rounds > longestDrain) throw new Violation('I8: the drain does not end');
      let busy = false;
      for (const { tasks } of [...processes, { tasks: operator }])
        for (let index = tasks.length - 1; index >= 0; index -= 1) if (stepOne(tasks, index) === 'step') busy = true;
      model.nowMs += busy ? 1 : 30;
      quietRounds = busy ? 0 : quietRounds + 1;
    }
    for (const { topic, partition } of owners.values())
      if (kafka.committed(topic, partition) !== kafka.records(topic, partition).length)
        throw new Violation(`I8: ${topic}/${partition} is not read to its end`);
  }

  for (const process of processes) boot(process);
  for (const topic of topics) for (let partition = 0; partition < partitions; partition += 1) assign(topic, partition);

  for (let step = 0; step < steps; step += 1) {
    model.nowMs += 1;
    if (random.chance(0.25)) act();
    const all = [...processes.map((process) => process.tasks), operator].filter((tasks) => tasks.length > 0);
    const tasks = random.pick(all);
    if (tasks) stepOne(tasks, random.below(tasks.length));
  }
  while (pending.length > 0) produce();
  model.healed = true;
  model.log('healed');
  drain();
  checkModel(model);
  model.mended = true;
  model.log('mended');
  for (let open = openLetters(model); open.length > 0; open = openLetters(model)) {
    const marks = sumOfMarks(model);
    for (const letter of open) replayLetter(model, letter);
    drain();
    if (sumOfMarks(model) === marks) throw new Violation('I8: a replay of every open letter moves no mark');
  }
  if (trouble.sweeps || model.bug === undefined) checkMended(model);
}

function newProcess(): Process {
  return { memory: { marks: new Map() }, tasks: [] };
}

function sumOfMarks(model: Model): number {
  return [...model.database.marks.values()].reduce((sum, mark) => sum + mark.version, 0);
}
