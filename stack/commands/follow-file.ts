import { open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** Hands on what is appended to a file, until `isDone` says so or `ended` settles; what was written by then is handed on too. */
export async function followFile(
  path: string,
  write: (text: string) => void,
  isDone: () => boolean,
  ended: Promise<void>,
): Promise<'done' | 'ended'> {
  const file = await open(path);
  const decoder = new TextDecoder();
  const buffer = Buffer.alloc(64 * 1024);
  const drain = async (): Promise<void> => {
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length);
      if (bytesRead === 0) return;
      write(decoder.decode(buffer.subarray(0, bytesRead), { stream: true }));
    }
  };
  let hasEnded = false;
  void ended.then(() => {
    hasEnded = true;
  });
  try {
    for (;;) {
      const last = hasEnded ? 'ended' : isDone() ? 'done' : undefined;
      await drain();
      if (last !== undefined) return last;
      await delay(100);
    }
  } finally {
    await file.close();
  }
}
