import { execFileSync } from 'node:child_process';
import { findFolderCycles, type CruisedModule } from './find-folder-cycles.ts';
import { readFileSync } from 'node:fs';

// Without its parser the cruiser sees no module and finds no fault.
const fewestModules = 100;

const folders = ['bench', 'contracts', 'ops', 'packages', 'provision', 'services', 'stack', 'test'];

/**
 * What has one way to do it: the text of another way, the files that may use it, and what the
 * others take.
 */
const oneWay: readonly {
  readonly text: RegExp;
  readonly mayUse: RegExp;
  readonly instead: string;
}[] = [
  {
    text: /\bsetFailpoint\(/,
    mayUse: /[.]test[.]ts$|(^|\/)test\/|^packages\/service\/src\/process\/failpoint[.]ts$/,
    instead: "a test's own entry file: nothing in production arms a failpoint",
  },
  {
    text: /\.admin\(/,
    // Tests of the inbox hold a client of their own.
    mayUse: /^packages\/(kafka\/src\/admin[.]ts$|inbox\/test\/)|^test\/chaos\/checker\//,
    instead: 'openAdmin or withAdmin of @board/kafka',
  },
];

const json = execFileSync(
  'depcruise',
  ['--config', '.dependency-cruiser.cjs', '--output-type', 'json', ...folders],
  {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  },
);
const { modules, summary } = JSON.parse(json) as {
  modules: readonly CruisedModule[];
  summary: {
    totalCruised: number;
    violations: { from: string; to: string; rule: { name: string } }[];
  };
};
const problems = [
  ...summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`),
  ...findFolderCycles(modules).map((cycle) => `no-folder-cycles: ${cycle.join(' -> ')}`),
  ...(summary.totalCruised < fewestModules
    ? [`only ${summary.totalCruised} modules were cruised`]
    : []),
];
for (const file of modules
  .map(({ source }) => source)
  .filter((source) => /^(?!.*node_modules\/).*[.]ts$/.test(source))) {
  const source = readFileSync(file, 'utf8');
  for (const { text, mayUse, instead } of oneWay)
    if (file !== 'test/setup/check-walls.ts' && !mayUse.test(file) && text.test(source))
      problems.push(`one-way: ${file} has ${String(text)}; take ${instead}`);
}
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
else console.log(`walls: ${summary.totalCruised} modules, no violation`);
