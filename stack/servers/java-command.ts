import { aotOptions, moduleOptions, type AotKind } from '../fetch/aot-caches.ts';
import type { Command } from '../run/run-command.ts';
import { readJavaOptions, settingsUrl } from './infra.ts';
import type { ServerContext } from './server.ts';

export interface JavaProgram {
  /** Undefined: no AOT cache. */
  readonly aot: AotKind | undefined;
  /** `-Xms` and `-Xmx`. */
  readonly heap: readonly string[];
  readonly options?: readonly string[];
  /** `-cp ... Main` or `-jar file`, and the arguments. */
  readonly run: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * A Java server's command line: the options of `infra/java.env`, and for memory's sake two arenas of glibc instead of
 * one per thread. The compilers are left as they are: throughput must not pay for it.
 */
export function javaCommand(context: ServerContext, program: JavaProgram): Command {
  const { java, aot } = context.programs;
  const [file = '', ...first] = java.command;
  return {
    file,
    args: [
      ...first,
      ...program.heap,
      ...readJavaOptions('java.env', 'KAFKA_JVM_PERFORMANCE_OPTS'),
      ...(program.aot === undefined ? [] : [...moduleOptions[program.aot], ...aotOptions(aot, program.aot)]),
      ...(program.options ?? []),
      ...program.run,
    ],
    // The locale decides how Java reads and writes the names of files: in C, letters of other alphabets are lost.
    env: { MALLOC_ARENA_MAX: '2', LC_ALL: 'C.UTF-8', ...program.env },
    // Whatever a server writes to its working folder lands in the instance's.
    cwd: context.instance.runDir,
  };
}

/** How long a Java server may take to stop; one that records for the AOT caches writes some 100 MB on its way out. */
export function javaStopTimeoutMs(context: ServerContext): number {
  return context.programs.aot.mode === 'record' ? 180_000 : 20_000;
}

/** How brokers and Connect log: to standard output, which is the log file. */
export function log4j2Option(): string {
  return `-Dlog4j2.configurationFile=${settingsUrl('kafka/log4j2.properties')}`;
}

/** The same for ZooKeeper and the older brokers, whose log4j reads another format. */
export function log4jOption(): string {
  return `-Dlog4j.configuration=${settingsUrl('kafka/log4j.properties')}`;
}
