import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { uniqueName } from '@board/test';
import { expect, onTestFinished, test } from 'vitest';
import { locateInstance } from '../instance/instance.ts';
import { portsAt } from '../instance/ports.ts';
import { startStack } from '../stack.ts';

const portOffset = 21_000;

test('a fresh start that is refused leaves the data of an earlier one', async () => {
  const instance = locateInstance(uniqueName('fresh').toLowerCase().replaceAll('_', '-'));
  mkdirSync(instance.dataDir, { recursive: true });
  onTestFinished(() => rmSync(instance.folder, { recursive: true }));
  const file = join(instance.dataDir, 'kept');
  writeFileSync(file, '');
  const other = createServer();
  await once(other.listen(portsAt(portOffset).mysql, '127.0.0.1'), 'listening');
  onTestFinished(() => void other.close());
  await expect(startStack({ instance: instance.name, portOffset, fresh: true })).rejects.toThrow(
    'in use',
  );
  expect(existsSync(file)).toBe(true);
});
