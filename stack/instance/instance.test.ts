import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import {
  chooseCluster,
  locateInstance,
  makeFolders,
  readCluster,
  type Instance,
} from './instance.ts';

function instanceWith(...folders: string[]): Instance {
  const parent = mkdtempSync(join(tmpdir(), 'stack-cluster-'));
  onTestFinished(() => rmSync(parent, { recursive: true }));
  const instance = locateInstance('older', parent);
  makeFolders(instance);
  for (const folder of folders) mkdirSync(join(instance.dataDir, folder));
  return instance;
}

test('an instance without data takes what is asked for, and KRaft when nothing is', () => {
  expect(readCluster(instanceWith('mysql'))).toBeUndefined();
  expect(chooseCluster(instanceWith('mysql'))).toBe('kraft');
  expect(chooseCluster(instanceWith('mysql'), 'zookeeper')).toBe('zookeeper');
  expect(chooseCluster(locateInstance('never-started', tmpdir()), 'zookeeper')).toBe('zookeeper');
});

test.each([
  ['kraft', ['mysql', 'kafka-2']],
  ['zookeeper', ['mysql', 'zookeeper']],
  ['zookeeper', ['mysql', 'zookeeper', 'kafka-1', 'kafka-2', 'kafka-3']],
] as const)(
  'data of %s (%j) is known again, also when nothing is asked for',
  (cluster, folders) => {
    const instance = instanceWith(...folders);
    expect(readCluster(instance)).toBe(cluster);
    expect(chooseCluster(instance)).toBe(cluster);
    expect(chooseCluster(instance, cluster)).toBe(cluster);
  },
);

test('the other flavour is refused in one sentence with the three ways out', () => {
  expect(() => chooseCluster(instanceWith('mysql', 'kafka-1'), 'zookeeper')).toThrow(
    'The stack "older" holds the data of a KRaft cluster, which a ZooKeeper cluster cannot read: ' +
      'say --cluster kraft or leave it out, take another --instance for the other one, ' +
      'or delete the data with "npm run stack -- reset --instance older".',
  );
  expect(() => chooseCluster(instanceWith('zookeeper'), 'kraft')).toThrow(
    'say --cluster zookeeper or leave it out',
  );
});
