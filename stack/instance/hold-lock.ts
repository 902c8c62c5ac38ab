import { createHash } from 'node:crypto';
import { connect, createServer } from 'node:net';

/** A lock that this process holds. */
export interface Lock {
  release(): Promise<void>;
}

/**
 * Takes the lock of a folder, undefined when another process has it. It is a socket in Linux's
 * abstract namespace: the kernel drops it with its process, so no stale lock can exist.
 */
export function tryLock(folder: string): Promise<Lock | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      waiting.add(socket);
    });
    const waiting = new Set<{ destroy(): unknown }>();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(addressOf(folder), () => {
      server.unref();
      const release = (): Promise<void> =>
        new Promise((done) => {
          server.close(() => done());
          for (const socket of waiting) socket.destroy();
        });
      resolve({ release });
    });
  });
}

/** Takes the lock of a folder as soon as it is free. */
export async function waitForLock(folder: string, onWait: () => void): Promise<Lock> {
  for (let round = 0; ; round += 1) {
    const lock = await tryLock(folder);
    if (lock !== undefined) return lock;
    if (round === 0) onWait();
    await holderGone(folder);
  }
}

/** Resolves when the holder ends or lets go: its socket closes then. */
function holderGone(folder: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(addressOf(folder));
    socket.on('error', () => undefined);
    socket.once('close', () => resolve());
    socket.resume();
  });
}

function addressOf(folder: string): string {
  const name = createHash('sha256').update(folder).digest('hex').slice(0, 32);
  return `\0board-pipeline-${name}`;
}
