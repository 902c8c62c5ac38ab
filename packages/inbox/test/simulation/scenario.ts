import { headerNames } from '@board/contracts';
import type { RoutedRecord } from '../../src/fail/publisher.ts';
import type { Random } from '../support/random.ts';
import { partitions, sourceTopic } from './memory-broker.ts';

/** How the handler treats an event. */
interface Behaviour {
  /** So many calls fail. */
  readonly failures: number;
  readonly invalid: 'never' | 'in-decoding' | 'in-handler';
}

/**
 * Which kinds of trouble a schedule may meet; a schedule without one of them finds what that one
 * would hide.
 */
interface Trouble {
  readonly crashes: boolean;
  readonly rebalances: boolean;
  readonly copies: boolean;
  readonly databaseErrors: boolean;
  readonly publishErrors: boolean;
  readonly operator: boolean;
  readonly sweeps: boolean;
}

/** What is committed and how it is treated; drawn from a seed, before anything runs. */
export interface Scenario {
  readonly afterDeadLetter: 'block' | 'skip';
  readonly trouble: Trouble;
  readonly behaviours: ReadonlyMap<string, Behaviour>;
  /** In the order in which they reach the topic. */
  readonly records: readonly RoutedRecord[];
}

export function drawScenario(random: Random): Scenario {
  const behaviours = new Map<string, Behaviour>();
  const records: RoutedRecord[] = [];
  const left = ['a', 'b', 'c'].map((id, index) => ({
    id,
    partition: index % partitions,
    to: 2 + random.below(4),
    next: 1,
  }));
  const trouble = drawTrouble(random);
  const afterDeadLetter = random.chance(0.6) ? 'block' : 'skip';
  for (;;) {
    const one = random.pick(left.filter(({ next, to }) => next <= to));
    if (one === undefined) return { afterDeadLetter, trouble, behaviours, records };
    behaviours.set(`${one.id}${one.next}`, drawBehaviour(random));
    const headers = {
      [headerNames.eventId]: `${one.id}${one.next}`,
      [headerNames.aggregateId]: one.id,
      [headerNames.version]: String(one.next),
    };
    records.push({ topic: sourceTopic, partition: one.partition, key: null, value: null, headers });
    one.next += 1;
  }
}

function drawTrouble(random: Random): Trouble {
  // Without crashes, errors and operators the sweep is not needed, and without it nothing hides
  // what parks wrongly.
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

function drawBehaviour(random: Random): Behaviour {
  const roll = random.below(100);
  if (roll < 55) return { failures: 0, invalid: 'never' };
  if (roll < 78) return { failures: 1 + random.below(2), invalid: 'never' };
  if (roll < 90) return { failures: 3 + random.below(4), invalid: 'never' };
  return { failures: 0, invalid: roll < 95 ? 'in-decoding' : 'in-handler' };
}
