import { setFailpoint } from '@board/service-kit';
import { onTestFinished } from 'vitest';

/** Holds whoever comes to the failpoint, until it is released. */
export function holdFailpoint(name: string): { readonly reached: Promise<void>; readonly release: () => void } {
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
  return { reached: reached.promise, release };
}
