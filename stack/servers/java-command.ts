import { aotOptions, moduleOptions, type AotKind } from '../fetch/aot-caches.ts';
import type { Command } from '../run/run-command.ts';
import type { ServerContext } from './server.ts';

export interface JavaProgram {
  /** Undefined: no AOT cache. */
  readonly aot: AotKind | undefined;
  readonly maxHeapMb: number;
  readonly options?: readonly string[];
  /** `-cp ... Main` or `-jar file`, and the arguments. */
  readonly run: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * A Java server's command line. Memory: the serial collector has no side tables and threads of its own (the heaps are
 * small, pauses stay in milliseconds), the heap grows when needed and is given back, and glibc keeps two arenas
 * instead of one per thread. The compilers are left as they are: throughput must not pay for it.
 */
export function javaCommand(context: ServerContext, program: JavaProgram): Command {
  const { java, aot } = context.programs;
  const [file = '', ...first] = java.command;
  return {
    file,
    args: [
      ...first,
      '-Xms64m',
      `-Xmx${program.maxHeapMb}m`,
      '-XX:+UseSerialGC',
      '-XX:MinHeapFreeRatio=20',
      '-XX:MaxHeapFreeRatio=40',
      '-XX:ReservedCodeCacheSize=128m',
      // A process out of memory must die and be restarted, not limp.
      '-XX:+ExitOnOutOfMemoryError',
      '-XX:-UsePerfData',
      '-Djava.awt.headless=true',
      '-Djava.net.preferIPv4Stack=true',
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
