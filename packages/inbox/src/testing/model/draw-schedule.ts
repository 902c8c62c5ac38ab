import { headerNames } from '@board/contracts';
import type { RoutedRecord } from '../../route/routed-record.ts';
import { partitions, sourceTopic, type Behaviour, type Model, type Trouble } from './model.ts';
import type { Random } from './random.ts';

/** An event that is committed and on its way to the topic. */
export interface Pending {
  readonly id: string;
  readonly version: number;
  readonly partition: number;
}

/** Which kinds of trouble a schedule meets. */
export function drawTrouble(random: Random): Trouble {
  // Without crashes, errors and operators nobody needs the sweep, and without it nothing hides what parks wrongly.
  if (random.chance(0.3))
    return {
      crashes: false,
      rebalances: random.chance(0.7),
      copies: random.chance(0.5),
      databaseErrors: false,
      publishErrors: false,
      operator: false,
      sweeps: false,
    };
  return {
    crashes: random.chance(0.7),
    rebalances: random.chance(0.6),
    copies: random.chance(0.5),
    databaseErrors: random.chance(0.4),
    publishErrors: random.chance(0.4),
    operator: random.chance(0.6),
    sweeps: true,
  };
}

/** Versions of three aggregates, each in its own order, the aggregates mixed. */
export function drawEvents(model: Model): Pending[] {
  const { random } = model;
  const left = ['a', 'b', 'c'].map((id, index) => ({
    id,
    partition: index % partitions,
    to: 2 + random.below(4),
    next: 1,
  }));
  const events: Pending[] = [];
  for (;;) {
    const one = random.pick(left.filter(({ next, to }) => next <= to));
    if (!one) return events;
    model.behaviours.set(`${one.id}${one.next}`, drawBehaviour(random));
    events.push({ id: one.id, version: one.next, partition: one.partition });
    one.next += 1;
  }
}

function drawBehaviour(random: Random): Behaviour {
  const roll = random.below(100);
  if (roll < 55) return { failures: 0, invalid: 'never' };
  if (roll < 78) return { failures: 1 + random.below(2), invalid: 'never' };
  if (roll < 90) return { failures: 3 + random.below(4), invalid: 'never' };
  return { failures: 0, invalid: roll < 95 ? 'in-decoding' : 'in-handler' };
}

export function toRecord({ id, version, partition }: Pending): RoutedRecord {
  const headers = {
    [headerNames.eventId]: `${id}${version}`,
    [headerNames.aggregateId]: id,
    [headerNames.version]: String(version),
  };
  return { topic: sourceTopic, partition, key: null, value: null, headers };
}
