import { setTimeout as delay } from 'node:timers/promises';
import { withinDeadline } from '@board/service';
import { openSession, type Connection, type Session } from './open-session.ts';

/** Where a process stands between two leaderships. */
export type LockState =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'leading' }
  /** The database cannot be asked, or `lead` has failed. */
  | { readonly kind: 'failed'; readonly error: unknown };

/** A lock on the server, and what to do while this process holds it. */
export interface Leadership {
  readonly connection: Connection;
  /** Known on the whole server; at most 64 characters. */
  readonly lock: string;
  /** Ends the wait, or asks `lead` to end. */
  readonly signal: AbortSignal;
  /**
   * Its signal aborts the moment the lock may be gone; what it does must be harmless when two do it
   * for that moment.
   */
  readonly lead: (signal: AbortSignal) => Promise<void>;
  readonly onChange?: (state: LockState) => void;
  /**
   * Called every few seconds, each time that MySQL has answered which process holds the lock.
   */
  readonly onAnswer?: () => void;
}

/** A wait on the server; shorter than a statement may take. */
const lockWaitSeconds = 10;
const askEveryMs = 2_000;
const askTimeoutMs = 3_000;
const retryMs = 1_000;

/**
 * Runs `lead` while this process alone holds the lock, again and again until `signal` aborts;
 * others wait for it meanwhile.
 */
export async function leadWhileLocked(leadership: Leadership): Promise<void> {
  const { signal, onChange } = leadership;
  while (!signal.aborted) {
    try {
      await leadOnce(leadership);
    } catch (error) {
      if (signal.aborted) return;
      onChange?.({ kind: 'failed', error });
    }
    await delay(retryMs, undefined, { signal }).catch(() => undefined);
  }
}

async function leadOnce({
  connection,
  lock,
  signal,
  lead,
  onChange,
  onAnswer,
}: Leadership): Promise<void> {
  const session = await openSession(connection);
  try {
    onChange?.({ kind: 'waiting' });
    await waitForLock(session, lock, signal, onAnswer);
    const stop = new AbortController();
    const watching = watchLock(session, lock, stop.signal, onAnswer);
    try {
      onChange?.({ kind: 'leading' });
      await lead(AbortSignal.any([signal, session.lost]));
    } finally {
      stop.abort();
      await watching;
    }
    // The lock goes with the connection, and only after `lead` has ended.
  } finally {
    await session.close();
  }
}

async function waitForLock(
  session: Session,
  lock: string,
  signal: AbortSignal,
  onAnswer: Leadership['onAnswer'],
): Promise<void> {
  signal.throwIfAborted();
  signal.addEventListener('abort', session.destroy);
  try {
    for (;;) {
      const [row] = await session.query<{ held: number | null }>('SELECT GET_LOCK(?, ?) AS held', [
        lock,
        lockWaitSeconds,
      ]);
      // NULL: the server does not know.
      if (row !== undefined && row.held !== null) onAnswer?.();
      if (row?.held === 1) return;
    }
  } finally {
    signal.removeEventListener('abort', session.destroy);
  }
}

/**
 * A dead link says nothing by itself: without an answer in time the connection, and so the lock,
 * counts as lost.
 */
async function watchLock(
  session: Session,
  lock: string,
  stopped: AbortSignal,
  onAnswer: Leadership['onAnswer'],
): Promise<void> {
  while (!stopped.aborted && !session.lost.aborted) {
    try {
      const asking = session.query<{ mine: number | null }>(
        'SELECT IS_USED_LOCK(?) = CONNECTION_ID() AS mine',
        [lock],
      );
      const [row] = await withinDeadline(
        asking,
        askTimeoutMs,
        () => new Error('no answer in time'),
      );
      if (row?.mine === 1) onAnswer?.();
      else session.destroy();
    } catch {
      session.destroy();
    }
    await delay(askEveryMs, undefined, { signal: stopped }).catch(() => undefined);
  }
}
