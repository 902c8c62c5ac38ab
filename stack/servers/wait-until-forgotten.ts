import { setTimeout as delay } from 'node:timers/promises';
import { askZookeeper } from './ask-zookeeper.ts';
import type { BrokerId } from './broker-settings.ts';
import { readSettings } from './infra.ts';

const sessionTimeoutMs = Number(
  /^zookeeper\.session\.timeout\.ms=(\d+)$/m.exec(readSettings('kafka/broker-zookeeper.properties'))?.[1],
);

/**
 * Waits until ZooKeeper has forgotten a killed broker: until then it takes the new process for a second broker of the
 * same number, and that one dies. At most a little longer than a session; without an answer there is nothing to wait for.
 */
export async function waitUntilForgotten(
  zookeeper: { readonly host: string; readonly port: number },
  id: BrokerId,
): Promise<void> {
  for (const deadline = Date.now() + sessionTimeoutMs + 4000; Date.now() < deadline;) {
    const sessions = await askZookeeper(zookeeper, 'dump').catch(() => '');
    if (!new RegExp(`/brokers/ids/${id}$`, 'm').test(sessions)) return;
    await delay(100);
  }
}
