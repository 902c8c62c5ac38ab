import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { pickFreePort } from '../../../../../stack/instance/ports.ts';

export interface Inspector {
  /** What the process must be started with. */
  readonly env: Readonly<Record<string, string>>;
  /**
   * Makes the process free all memory that has no references, which it does by itself only when it
   * needs memory.
   */
  collectGarbage(): Promise<void>;
}

/** A way into a process that is not started yet. */
export async function openInspector(): Promise<Inspector> {
  const address = `127.0.0.1:${await pickFreePort()}`;
  return {
    env: { NODE_OPTIONS: `--inspect=${address}` },
    async collectGarbage() {
      const answer = await fetch(`http://${address}/json`);
      const [target] = (await answer.json()) as { webSocketDebuggerUrl: string }[];
      const socket = new WebSocket(target?.webSocketDebuggerUrl ?? '');
      onTestFinished(() => socket.close());
      await once(socket, 'open');
      socket.send(JSON.stringify({ id: 1, method: 'HeapProfiler.collectGarbage' }));
      await once(socket, 'message');
      socket.close();
    },
  };
}
