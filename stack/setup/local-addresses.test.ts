import { expect, it } from 'vitest';
import { addressesAt } from '../../packages/relay/src/read-addresses.ts';
import { portsAt } from '../instance/ports.ts';

it.each([0, 1100])("the connector's command looks where the launcher's ports are, at offset %i", (offset) => {
  const ports = portsAt(offset);
  expect(addressesAt(offset)).toEqual({
    CONNECT_URL: `http://127.0.0.1:${ports.connect}`,
    KAFKA_BROKERS: ports.brokers.map((port) => `127.0.0.1:${port}`).join(','),
  });
});
