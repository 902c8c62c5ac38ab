import { brokerSettings } from '../../stack/servers/broker-settings.ts';
import { connectServer } from '../../stack/servers/connect.ts';
import { registryServer } from '../../stack/servers/registry.ts';
import { nativeContext, writtenSettings } from '../containers/native-settings.ts';

/** What the native stack gives a broker, Connect and the registry: settings of the first two, environment of the last. */
export async function readServerSettings(): Promise<Record<'broker' | 'connect' | 'registry', Record<string, string>>> {
  const { context, remove } = nativeContext();
  try {
    const broker = Object.entries(brokerSettings(context, 1, 'data'));
    return {
      broker: Object.fromEntries(broker.map(([key, value]) => [key, String(value)])),
      connect: await writtenSettings(context, connectServer(context), 'connect.properties'),
      registry: { ...(await registryServer(context).command()).env },
    };
  } finally {
    remove();
  }
}
