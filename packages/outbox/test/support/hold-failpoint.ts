import { setFailpoint } from '@board/service/testing';
import { onTestFinished } from 'vitest';

export interface HeldFailpoint {
  readonly reached: Promise<void>;
  /** Callers that come from now on pass; a caller that is held stays so. */
  readonly holdNoMore: () => void;
  readonly release: () => void;
}

/** Holds every caller that comes to the failpoint, until it is released. */
export function holdFailpoint(name: string): HeldFailpoint {
  const reached = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const undo = setFailpoint(name, async () => {
    reached.resolve();
    await released.promise;
  });
  const release = (): void => {
    undo();
    released.resolve();
  };
  onTestFinished(release);
  return { reached: reached.promise, holdNoMore: undo, release };
}
