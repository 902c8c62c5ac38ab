import { afterAll, expect, it } from 'vitest';
import { nativeContext } from '../../test/containers/native-settings.ts';
import { nameAotCaches, type AotCaches } from '../fetch/aot-caches.ts';
import { registryServer } from './registry.ts';

const { context, remove } = nativeContext();
afterAll(remove);

const folder = '/the/caches';
const modes: AotCaches[] = [
  { kind: 'none' },
  ...(['record', 'create', 'use'] as const).map((kind) => ({ kind, folder })),
];

it.each(modes)(
  'the registry opens the same modules and allows native code with AOT caches of kind $kind',
  async (aot) => {
    const { args } = await registryServer({
      ...context,
      programs: { ...context.programs, aot },
    }).command();
    expect(args.filter((arg) => /^--(add-opens|enable-native-access)/.test(arg))).toEqual([
      '--add-opens=java.base/java.lang=ALL-UNNAMED',
      '--enable-native-access=ALL-UNNAMED',
    ]);
  },
);

it('other jars or another Java need other caches', () => {
  const { java, jars } = context.programs;
  const names = [
    nameAotCaches(java, jars),
    nameAotCaches({ ...java, version: { ...java.version, text: '26' } }, jars),
    nameAotCaches(java, { ...jars, registry: [import.meta.filename] }),
  ];
  expect(new Set(names).size).toBe(3);
});
