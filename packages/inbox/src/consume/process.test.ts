import { describe, expect, it } from 'vitest';
import { toHeaders } from '../../test/support/to-headers.ts';
import { holdWhileOpen, pauseWhenFull, type Process, type Slice } from './process.ts';

const records: Slice = {
  kind: 'records',
  topic: 't',
  partition: 0,
  records: ['0', '1', '2'].map((offset) => ({
    origin: { topic: 't', partition: 0, offset, timestampMs: 0 },
    key: null,
    value: null,
    headers: toHeaders({}),
  })),
};
const undecodable: Slice = {
  kind: 'undecodable',
  topic: 't',
  partition: 0,
  firstOffset: '0',
  lastOffset: '2',
  timestampMs: 0,
  bytes: Buffer.alloc(0),
  error: new Error('planted'),
  following: [],
};

/** Processes all that it is given, and notes which offsets. */
function noteProcessed() {
  const seen: string[] = [];
  const process: Process = (slice) => {
    const offsets =
      slice.kind === 'records' ? slice.records.map(({ origin }) => origin.offset) : ['undecodable'];
    seen.push(...offsets);
    return Promise.resolve({ kind: 'done', processed: offsets.length });
  };
  return { seen, process };
}

describe('holdWhileOpen', () => {
  /** Gives the probe to every caller, or to none. */
  const breaker = (isOpen: boolean, givesProbe: boolean) => ({
    isOpen: () => isOpen,
    probe: async <Result>(attempt: () => Promise<Result>) => (givesProbe ? attempt() : undefined),
  });

  it('hands everything on while the breaker is closed', async () => {
    const { seen, process } = noteProcessed();
    expect(await holdWhileOpen(breaker(false, true), process)(records)).toEqual({
      kind: 'done',
      processed: 3,
    });
    expect(seen).toEqual(['0', '1', '2']);
  });

  it('tries the first record alone when the probe is its own', async () => {
    const { seen, process } = noteProcessed();
    expect(await holdWhileOpen(breaker(true, true), process)(records)).toEqual({
      kind: 'done',
      processed: 1,
    });
    expect(seen).toEqual(['0']);
  });

  it('waits without trying anything when another instance has the probe', async () => {
    const { seen, process } = noteProcessed();
    const result = await holdWhileOpen(breaker(true, false), process)(records);
    expect(result).toEqual({ kind: 'wait', processed: 0, waitMs: expect.any(Number) });
    expect(result.kind === 'wait' && result.waitMs).toBeGreaterThan(0);
    expect(seen).toEqual([]);
  });

  it('passes the failure of a probe on', async () => {
    const held = holdWhileOpen(breaker(true, true), () => Promise.reject(new Error('planted')));
    await expect(held(records)).rejects.toThrow('planted');
  });

  it('does not take an undecodable batch for a probe', async () => {
    const { seen, process } = noteProcessed();
    await holdWhileOpen(breaker(true, false), process)(undecodable);
    expect(seen).toEqual(['undecodable']);
  });
});

describe('pauseWhenFull', () => {
  it('takes no records while parking is full, and takes them again once there is room', async () => {
    const { seen, process } = noteProcessed();
    let isFull = true;
    const paused = pauseWhenFull(() => isFull, 5_000, process);
    expect(await paused(records)).toEqual({ kind: 'wait', processed: 0, waitMs: 5_000 });
    expect(seen).toEqual([]);
    isFull = false;
    expect(await paused(records)).toEqual({
      kind: 'done',
      processed: 3,
    });
    expect(seen).toEqual(['0', '1', '2']);
  });

  it('hands an undecodable batch on, which is never parked', async () => {
    const { seen, process } = noteProcessed();
    await pauseWhenFull(() => true, 5_000, process)(undecodable);
    expect(seen).toEqual(['undecodable']);
  });
});
