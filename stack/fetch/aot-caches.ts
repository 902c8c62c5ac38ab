import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { findCached } from './cache.ts';
import type { Jars } from './fetch-jars.ts';
import type { Java } from './find-programs.ts';

/** The kinds of Java server, each with a class path and so a cache of its own. */
export const aotKinds = ['broker', 'connect', 'registry'] as const;
export type AotKind = (typeof aotKinds)[number];

/**
 * What the servers do about Java's ahead-of-time caches: `record` writes what `create` makes a
 * cache from.
 */
export type AotCaches =
  | { readonly kind: 'none' }
  | { readonly kind: 'record' | 'create' | 'use'; readonly folder: string };

/** What a kind asks of Java's modules, with a cache or without. */
export const moduleOptions: Readonly<Record<AotKind, readonly string[]>> = {
  broker: [],
  connect: [],
  // As in the manifest of its own starter: else each thread of its pool ends in an
  // IllegalAccessError.
  registry: ['--add-opens=java.base/java.lang=ALL-UNNAMED', '--enable-native-access=ALL-UNNAMED'],
};

/**
 * A cache fits one Java, one list of jars and one choice of module options; with others Java would
 * ignore it.
 */
export function nameAotCaches(java: Java, jars: Jars): string {
  const parts = [
    ...java.command,
    java.version.text,
    ...aotKinds.flatMap((kind) => moduleOptions[kind]),
    ...[...new Set([...jars.brokers, ...jars.connect, ...jars.registry])].map(
      (jar) => `${jar} ${statSync(jar).size}`,
    ),
  ];
  return `aot-${createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 12)}`;
}

/** Caches came with Java 25's present form; older ones run without. */
export function canUseAot(java: Java): boolean {
  return java.version.major >= 25;
}

/** The complete caches for this Java and these jars; `none` where there are none. */
export function findAotCaches(java: Java, jars: Jars): AotCaches {
  const folder = canUseAot(java) ? findCached(nameAotCaches(java, jars)) : undefined;
  return folder === undefined ? { kind: 'none' } : { kind: 'use', folder };
}

/** Java's options for one kind of server. */
export function aotOptions(caches: AotCaches, server: AotKind): string[] {
  if (caches.kind === 'none') return [];
  const recording = `-XX:AOTConfiguration=${join(caches.folder, `${server}.aotconf`)}`;
  const cache = `-XX:AOTCache=${join(caches.folder, `${server}.aot`)}`;
  // Java's remarks on single classes that it could not keep would fill the logs.
  const quiet = '-Xlog:aot*=error';
  switch (caches.kind) {
    case 'use':
      return [quiet, cache];
    case 'record':
      return [quiet, '-XX:AOTMode=record', recording];
    case 'create':
      return [quiet, '-XX:AOTMode=create', recording, cache];
  }
}
