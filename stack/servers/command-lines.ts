import { join, resolve } from 'node:path';
import { type AotKind, aotOptions, moduleOptions } from '../fetch/aot-caches.ts';
import { cacheFolder } from '../fetch/cache.ts';
import { checkout } from '../instance/instance.ts';
import type { Command } from '../run/run-command.ts';
import type { ServerContext } from './server.ts';
import { readJavaOptions, settingsUrl } from './settings.ts';

interface JavaProgram {
  /** Undefined: no AOT cache. */
  readonly aot: AotKind | undefined;
  /** `-Xms` and `-Xmx`. */
  readonly heap: readonly string[];
  readonly options: readonly string[];
  readonly jars: readonly string[];
  /** The main class and its arguments. */
  readonly run: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * A Java server's command line: the options of `infra/java.env`, and for memory's sake two arenas
 * of glibc instead of one per thread. The compilers are left as they are: throughput must not pay
 * for it.
 */
export function javaCommand({ instance, programs }: ServerContext, program: JavaProgram): Command {
  const [file = '', ...first] = programs.java.command;
  return {
    file,
    args: [
      ...first,
      ...program.heap,
      ...readJavaOptions('java.env', 'KAFKA_JVM_PERFORMANCE_OPTS'),
      ...(program.aot === undefined
        ? []
        : [...moduleOptions[program.aot], ...aotOptions(programs.aot, program.aot)]),
      ...program.options,
      '-cp',
      program.jars.join(':'),
      ...program.run,
    ],
    // The locale decides how Java reads and writes the names of files: in C, characters of other
    // alphabets are lost.
    env: { MALLOC_ARENA_MAX: '2', LC_ALL: 'C.UTF-8', ...program.env },
    // Whatever a server writes to its working folder lands in the instance's.
    cwd: instance.runDir,
  };
}

/**
 * How long a Java server may take to stop; one that records for the AOT caches writes some 100 MB
 * on its way out.
 */
export function javaStopTimeoutMs(context: ServerContext): number {
  return context.programs.aot.kind === 'record' ? 180_000 : 20_000;
}

/** How brokers and Connect log: to standard output, which is the log file. */
export const log4j2Option = `-Dlog4j2.configurationFile=${settingsUrl('kafka/log4j2.properties')}`;
/** The same for ZooKeeper and the older brokers, whose log4j reads another format. */
export const log4jOption = `-Dlog4j.configuration=${settingsUrl('kafka/log4j.properties')}`;

/** A TypeScript file of this checkout, run by the Node that runs the launcher. */
export function nodeCommand(
  file: string,
  env: Readonly<Record<string, string>>,
  flags: readonly string[] = [],
): Command {
  return {
    file: process.execPath,
    args: [...flags, resolve(checkout, file)],
    // Compiled code is kept from start to start: a service loads in half the time.
    env: { NODE_COMPILE_CACHE: join(cacheFolder(), 'node-compile-cache'), ...env },
    cwd: checkout,
  };
}
