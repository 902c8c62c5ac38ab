import { setTimeout as wait } from 'node:timers/promises';
import { boardOutbox } from '@board/relay';
import { catalogConsumer } from '@board/contracts';
import type { ChaosStack } from './chaos-stack.ts';
import type { Ledger } from './ledger.ts';

/** What is seen of a stack while it is disturbed. */
export interface Watch {
  /** Whether the connector's task was ever FAILED, so that the keeper had to start it again. */
  hasFailed(): boolean;
  /** The longest time after `since` for which it was FAILED. */
  longestFailureMs(since: number): number;
  /** When the keeper last said that the connector runs and stands still; null: never. */
  stalledAt(): number | null;
  /** The most rows that were parked at once. */
  mostParked(): number;
  stop(): Promise<void>;
}

const everyMs = 1_000;

/** What was seen of the connector, and when. */
interface ConnectorObservation {
  readonly at: number;
  readonly isFailed: boolean;
}

/**
 * The longest time for which the connector was FAILED without a break after `since`; the
 * observations are in the order of time.
 */
export function longestFailureMs(
  observations: readonly ConnectorObservation[],
  since: number,
): number {
  let longest = 0;
  let from: number | null = null;
  for (const { at, isFailed } of observations) {
    if (from !== null) longest = Math.max(longest, at - Math.max(from, since));
    from = isFailed ? (from ?? at) : null;
  }
  return longest;
}

/** Observes the connector, the parked rows and what the handler refuses, once a second. */
export function watchStack(stack: ChaosStack, ledger: Ledger, say: (line: string) => void): Watch {
  const stopping = new AbortController();
  const refusals = new Map<string, number>();
  const observations: ConnectorObservation[] = [];
  let stalledAt: number | null = null;
  let mostParked = 0;
  let last = '';

  async function observeConnector(): Promise<void> {
    const state = await readConnector(stack).catch(() => 'does not answer');
    observations.push({ at: Date.now(), isFailed: state.includes('FAILED') });
    if (state !== last) say(`connector: ${(last = state)}`);
  }

  async function observeKeeper(): Promise<void> {
    const { 'relay stalled': stalled } = await readAlarms(stack.keeperUrl).catch(
      (): Alarms => ({}),
    );
    if (stalled === undefined) return;
    if (stalledAt === null || Date.now() - stalledAt > 10_000)
      say(`relay stalled: ${stalled.reason}`);
    stalledAt = Date.now();
  }

  async function observeParked(): Promise<void> {
    const [row] = await stack
      .query<{ parkedRows: number }>(
        `SELECT COUNT(*) AS parkedRows FROM catalog_service.parked WHERE consumer = '${catalogConsumer.group}'`,
      )
      .catch(() => []);
    mostParked = Math.max(mostParked, row?.parkedRows ?? 0);
  }

  function observeRefusals(): void {
    const seen = new Map<string, { boardId: string; version: number; times: number }>();
    for (const { aggregateId: boardId, version, attempt } of stack.refusals()) {
      const key = `${boardId} ${version}`;
      // A batch that fails is halved, so one attempt may be refused several times.
      seen.set(key, { boardId, version, times: Math.max(attempt, seen.get(key)?.times ?? 0) });
    }
    for (const [key, refusal] of seen) {
      if (refusals.get(key) === refusal.times) continue;
      refusals.set(key, refusal.times);
      ledger.refusal(refusal);
    }
  }

  async function observe(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        observeRefusals();
      } catch (error) {
        say(`what the handler refused could not be noted: ${String(error)}`);
      }
      await Promise.all([observeConnector(), observeKeeper(), observeParked()]);
      await wait(everyMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
    observeRefusals();
  }
  const observing = observe();

  return {
    hasFailed: () => observations.some(({ isFailed }) => isFailed),
    longestFailureMs: (since) => longestFailureMs(observations, since),
    stalledAt: () => stalledAt,
    mostParked: () => mostParked,
    async stop() {
      stopping.abort();
      await observing;
    },
  };
}

type Alarms = Readonly<Record<string, { readonly reason: string }>>;

/** The alarms of a service, by name; throws when it does not answer. */
export async function readAlarms(url: string): Promise<Alarms> {
  const response = await fetch(`${url}/alarms`, { signal: AbortSignal.timeout(5_000) });
  return ((await response.json()) as { alarms?: Alarms }).alarms ?? {};
}

/** The states of the connector and its task, in words. */
export async function readConnector({ connectUrl }: ChaosStack): Promise<string> {
  const url = `${connectUrl}/connectors/${boardOutbox.name}/status`;
  const response = await fetch(url, { signal: AbortSignal.timeout(3_000) });
  if (!response.ok) return `answers ${response.status}`;
  const { connector, tasks } = (await response.json()) as {
    connector: { state: string };
    tasks: readonly { state: string; trace?: string }[];
  };
  const [task] = tasks;
  const cause =
    task?.trace === undefined
      ? ''
      : ` (${task.trace.split('\n').findLast((line) => line.startsWith('Caused by')) ?? task.trace.split('\n')[0]})`;
  return `${connector.state}, task ${task?.state ?? 'missing'}${cause}`;
}
