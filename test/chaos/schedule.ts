import { seededRandom, type Random } from '../../packages/inbox/test/support/random.ts';
import { foreignKindNames } from '../survival/foreign-records.ts';

export const processNames = [
  'mysql',
  'kafka-1',
  'kafka-2',
  'kafka-3',
  'connect',
  'registry',
  'order-service',
  'catalog-service-1',
  'catalog-service-2',
  'keeper',
] as const;
export type ProcessName = (typeof processNames)[number];

/** Who asks whom, over connections that can be disturbed. */
export const linkNames = [
  'connect->mysql',
  'connect->kafka',
  'order-service->mysql',
  'order-service->registry',
  'catalog-service-1->mysql',
  'catalog-service-1->kafka',
  'catalog-service-1->registry',
  'catalog-service-2->mysql',
  'catalog-service-2->kafka',
  'catalog-service-2->registry',
] as const;
export type LinkName = (typeof linkNames)[number];

const registryLinks = linkNames.filter((name) => name.endsWith('->registry'));

interface KindSettings {
  /** How often it is drawn, compared with the others. */
  readonly weight: number;
  readonly targets: readonly string[];
  /** Shortest and longest, in ms. */
  readonly forMs: readonly [number, number];
  readonly hows?: readonly string[];
  /** Connections of which the run holds the middle. */
  readonly needs?: 'proxies';
}

/** Everything that can go wrong. */
const kinds = {
  kill: { weight: 8, targets: processNames, forMs: [0, 0] },
  freeze: { weight: 6, targets: processNames, forMs: [3_000, 25_000] },
  'all brokers frozen': { weight: 1, targets: ['kafka'], forMs: [5_000, 20_000] },
  'link cut': { weight: 4, targets: linkNames, forMs: [1_000, 20_000], needs: 'proxies' },
  'link reset': { weight: 2, targets: linkNames, forMs: [500, 5_000], needs: 'proxies' },
  'link half-open': {
    weight: 4,
    targets: linkNames,
    forMs: [3_000, 25_000],
    hows: ['both', 'to-server', 'to-client'],
    needs: 'proxies',
  },
  /** Milliseconds for each chunk. */
  'link slow': {
    weight: 2,
    targets: linkNames,
    forMs: [5_000, 20_000],
    hows: ['20', '100', '300'],
    needs: 'proxies',
  },
  'registry answers 500': {
    weight: 2,
    targets: ['registry'],
    forMs: [5_000, 20_000],
    needs: 'proxies',
  },
  'foreign records': { weight: 5, targets: foreignKindNames, forMs: [0, 0] },
  'column renamed': { weight: 1, targets: ['catalog'], forMs: [10_000, 30_000] },
  'MySQL read-only': { weight: 1, targets: ['mysql'], forMs: [5_000, 20_000] },
  'table with a column url created': { weight: 1, targets: ['scratch.links'], forMs: [0, 0] },
  'table of others flushed': { weight: 1, targets: ['scratch.links'], forMs: [0, 0] },
} as const satisfies Record<string, KindSettings>;

export type FaultKind = keyof typeof kinds;
export const faultKinds = Object.keys(kinds) as readonly FaultKind[];

export interface ScheduledFault {
  readonly id: number;
  readonly kind: FaultKind;
  readonly target: string;
  /** After the start of the run. */
  readonly atMs: number;
  readonly forMs: number;
  /** A half-open link's direction, a slow link's delay. */
  readonly how: string | null;
}

export interface ScheduleOptions {
  readonly durationMs: number;
  readonly hasProxies: boolean;
}

/** When and how the seed lets something go wrong; equal for equal arguments. */
export function drawSchedule(
  seed: number,
  { durationMs, hasProxies }: ScheduleOptions,
): ScheduledFault[] {
  const random = seededRandom(seed);
  const possible = faultKinds.filter((kind) => {
    const { needs }: KindSettings = kinds[kind];
    return needs === undefined || hasProxies;
  });
  const schedule: ScheduledFault[] = [];
  for (
    let atMs = 1_000 + random.below(2_000);
    atMs < durationMs;
    atMs += 1_000 + random.below(5_000)
  ) {
    // What is in the way of one that is drawn is seldom in the way of five.
    for (let tries = 0; tries < 5; tries += 1) {
      const fault = drawFault(random, possible, {
        id: schedule.length + 1,
        atMs,
        leftMs: durationMs - atMs,
      });
      if (schedule.some((other) => overlap(other, fault) && exclude(other, fault))) continue;
      schedule.push(fault);
      break;
    }
  }
  return schedule;
}

function drawFault(
  random: Random,
  possible: readonly FaultKind[],
  { id, atMs, leftMs }: { id: number; atMs: number; leftMs: number },
): ScheduledFault {
  const kind = drawKind(random, possible);
  const { targets, forMs, hows }: KindSettings = kinds[kind];
  const [shortest, longest] = forMs;
  const drawnMs = shortest + random.below(longest - shortest + 1);
  return {
    id,
    kind,
    target: random.pick(targets) ?? '',
    atMs,
    // At the end of the run it is cut short.
    forMs: Math.max(shortest, Math.min(drawnMs, leftMs)),
    how: hows === undefined ? null : (random.pick(hows) ?? null),
  };
}

function drawKind(random: Random, possible: readonly FaultKind[]): FaultKind {
  let left = random.below(possible.reduce((sum, kind) => sum + kinds[kind].weight, 0));
  for (const kind of possible) {
    left -= kinds[kind].weight;
    if (left < 0) return kind;
  }
  throw new Error('no kind of fault is possible');
}

/** Why a schedule from a file cannot run; undefined when it can. */
export function findProblem(
  schedule: readonly Partial<ScheduledFault>[],
  hasProxies: boolean,
): string | undefined {
  if (schedule.length === 0) return 'it has no fault';
  for (const { id, kind, target, atMs, forMs, how } of schedule) {
    const settings: KindSettings | undefined = kind && kinds[kind];
    if (settings === undefined)
      return `fault ${id} is ${JSON.stringify(kind)}, which is no kind of fault`;
    if (!settings.targets.includes(target ?? ''))
      return `fault ${id} (${kind}) has the target ${JSON.stringify(target)}`;
    if (settings.hows?.includes(how ?? '') === false)
      return `fault ${id} (${kind}) has the manner ${JSON.stringify(how)}`;
    if (![atMs, forMs].every((ms) => typeof ms === 'number' && ms >= 0))
      return `fault ${id} (${kind}) has no time`;
    if (settings.needs === 'proxies' && !hasProxies)
      return `fault ${id} (${kind}) needs a stack of its own`;
  }
  return undefined;
}

interface Claims {
  /** What no other fault may touch meanwhile. */
  readonly alone: readonly string[];
  /** What others may use too, but none may have alone. */
  readonly shared: readonly string[];
}

/**
 * Whether two faults must not be there at once: they would undo each other (a killed server forgets
 * that it was read-only), or be more than heals by itself (of three brokers one may be lost).
 */
export function exclude(one: ScheduledFault, other: ScheduledFault): boolean {
  const [a, b] = [claimsOf(one), claimsOf(other)];
  const meets = (left: readonly string[], right: readonly string[]): boolean =>
    left.some((name) => right.includes(name));
  return meets(a.alone, b.alone) || meets(a.alone, b.shared) || meets(a.shared, b.alone);
}

function claimsOf({ kind, target }: ScheduledFault): Claims {
  switch (kind) {
    case 'kill':
    case 'freeze':
      return { alone: [target.startsWith('kafka-') ? 'kafka' : target], shared: [] };
    case 'all brokers frozen':
      return { alone: ['kafka'], shared: [] };
    case 'link cut':
    case 'link reset':
    case 'link half-open':
    case 'link slow':
      return { alone: [target], shared: [] };
    case 'registry answers 500':
      return { alone: registryLinks, shared: [] };
    case 'foreign records':
      return { alone: [], shared: ['kafka'] };
    case 'MySQL read-only':
      return { alone: ['mysql'], shared: [] };
    case 'column renamed':
      return { alone: ['catalog'], shared: ['mysql'] };
    case 'table with a column url created':
    case 'table of others flushed':
      return { alone: ['scratch.links'], shared: ['mysql'] };
  }
}

/** Whether one begins while the other lasts or heals. */
function overlap(one: ScheduledFault, other: ScheduledFault): boolean {
  return one.atMs < endOf(other) && other.atMs < endOf(one);
}

function endOf({ kind, atMs, forMs }: ScheduledFault): number {
  // A killed server is ready again after some seconds; the run itself waits for as long as it
  // takes.
  return atMs + forMs + (kind === 'kill' ? 15_000 : 3_000);
}
