import { relative } from 'node:path';
import { checkAll } from '../check/checks.ts';
import {
  checkout,
  clusterTitles,
  locateInstance,
  readCluster,
  type Cluster,
  type Instance,
} from '../instance/instance.ts';
import {
  findOrphans,
  isAllRunning,
  measureMemory,
  readLiveState,
  readState,
  type StackState,
} from '../run/stack-state.ts';

/** Prints what runs; exit code 1 unless everything runs. */
export async function status(name: string, flags: { json?: true }): Promise<void> {
  const instance = locateInstance(name);
  const state = readLiveState(instance);
  if (state === undefined || !isAllRunning(state)) process.exitCode = 1;
  if (flags.json === true) {
    const shown =
      state === undefined ? { phase: 'down' } : { ...state, memoryNowBytes: measureMemory(state) };
    console.log(
      JSON.stringify({ instance: name, cluster: readCluster(instance), ...shown }, null, 2),
    );
    return;
  }
  if (state !== undefined) {
    console.log(renderStack(instance, state));
    return;
  }
  const problem = readState(instance)?.problem;
  console.log(
    `The stack "${name}" does not run.${problem === undefined ? '' : ` Last time: ${problem}`}`,
  );
  const orphans = findOrphans(instance);
  if (orphans.length > 0)
    console.log(
      `${orphans.length} of its processes were left behind by a killed launcher: the next start, or "down", stops them.`,
    );
}

const megabytes = (bytes: number): string => `${Math.round(bytes / 1024 ** 2)} MB`;

/** The table of what runs where, the figures, and two lines to paste. */
export function renderStack(instance: Instance, state: StackState): string {
  const rows = state.processes.map((process) => [
    process.name,
    process.phase + (process.restarts > 0 ? ` (${process.restarts} restarts)` : ''),
    process.address,
    String(process.pid ?? '-'),
    relative(checkout, process.logFile),
  ]);
  const cluster = readCluster(instance);
  const figures = [
    `stack "${instance.name}"${cluster === undefined ? '' : ` (${clusterTitles[cluster]})`} is ${state.phase}, supervised by process ${state.supervisor.pid}`,
    ...(state.readyMs === undefined ? [] : [`ready after ${(state.readyMs / 1000).toFixed(1)} s`]),
    `memory now ${megabytes(measureMemory(state))}` +
      (state.memory === undefined ? '' : `, 60 s after ready ${megabytes(state.memory.bytes)}`) +
      ' (sum of PSS, supervisor included)',
    ...(state.problem === undefined ? [] : [state.problem]),
    ...state.processes.flatMap(({ name, problem }) =>
      problem === undefined ? [] : [`${name}: ${problem}`],
    ),
  ];
  return [
    '',
    renderTable(['name', 'state', 'address', 'pid', 'log'], rows),
    '',
    ...figures,
    ...tryIt(state),
    '',
  ].join('\n');
}

function tryIt(state: StackState): string[] {
  const { processes } = state;
  const order = processes.find(({ name }) => name === 'order-service')?.address;
  const catalog = processes.find(({ name }) => name.startsWith('catalog-service'))?.address;
  if (order === undefined || catalog === undefined || !isAllRunning(state)) return [];
  const board = '{"title":"첫 번째 게시글 🎉","content":"안녕하세요","author":"민지"}';
  return [
    '',
    'Post a board, then read it back from the catalog:',
    `  id=$(curl -sS -H 'content-type: application/json' -d '${board}' ${order}/boards | sed -E 's/.*"id":"([^"]+)".*/\\1/'); echo "$id"`,
    `  curl -sf --retry 10 --retry-delay 1 --retry-all-errors ${catalog}/catalog/$id`,
  ];
}

/** Columns as wide as their widest cell. */
export function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_cell, column) =>
    Math.max(...all.map((row) => (row[column] ?? '').length)),
  );
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/**
 * Prints each thing that the stack needs, and how to fix those that are missing; exit code 1 when
 * there are any.
 */
export async function doctor(
  name: string,
  wanted: Cluster | undefined,
  flags: { json?: true },
): Promise<void> {
  const findings = await checkAll(locateInstance(name), wanted);
  process.exitCode = findings.some(({ status }) => status === 'missing') ? 1 : 0;
  if (flags.json === true) {
    console.log(JSON.stringify(findings, null, 2));
    return;
  }
  for (const { name: what, status, detail, fix } of findings) {
    console.log(`${status.padEnd(8)}${what.padEnd(10)}${detail}`);
    if (fix !== undefined) console.log(`${' '.repeat(18)}to fix: ${fix}`);
  }
}
