import { setTimeout as delay } from 'node:timers/promises';
import type { ConnectApi } from '@board/relay';
import { describeState } from './verbs.ts';

/** What a connector has become, or `(Connect)`, when it does not answer or answers again. */
export interface StateChange {
  /** ISO 8601. */
  readonly at: string;
  readonly name: string;
  readonly state: string;
}

type States =
  | { readonly kind: 'known'; readonly states: ReadonlyMap<string, string> }
  | { readonly kind: 'away'; readonly problem: string };

/** Reports each state that differs from the one before, until the signal; of all without names. */
export async function watchStates(
  api: ConnectApi,
  names: readonly string[],
  signal: AbortSignal,
  report: (change: StateChange) => void,
  everyMs = 1_000,
): Promise<void> {
  const aborted = new Promise<undefined>((resolve) => {
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  const note = (name: string, state: string): void =>
    report({ at: new Date().toISOString(), name, state });
  let before: ReadonlyMap<string, string> = new Map();
  let isAway = false;
  while (!signal.aborted) {
    const read = await Promise.race([readStates(api, names), aborted]);
    if (read === undefined) return;
    if (read.kind === 'away') {
      if (!isAway) note('(Connect)', read.problem);
      isAway = true;
    } else {
      if (isAway) note('(Connect)', 'answers again');
      isAway = false;
      for (const name of before.keys()) if (!read.states.has(name)) note(name, 'not registered');
      for (const [name, state] of read.states) if (before.get(name) !== state) note(name, state);
      before = read.states;
    }
    await delay(everyMs, undefined, { signal }).catch(() => undefined);
  }
}

async function readStates(api: ConnectApi, names: readonly string[]): Promise<States> {
  try {
    const all = names.length === 0 ? await api.listNames() : names;
    const states = new Map<string, string>();
    // One after the other: which of them fails must not change from one time to the next.
    for (const name of all) states.set(name, describeState(await api.getStatus(name)));
    return { kind: 'known', states };
  } catch (error) {
    return { kind: 'away', problem: (error as Error).message };
  }
}
