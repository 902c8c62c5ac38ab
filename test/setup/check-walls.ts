import { execFileSync } from 'node:child_process';
import { findFolderCycles, type CruisedModule } from './find-folder-cycles.ts';

// Without its parser the cruiser sees no module and finds no fault.
const fewestModules = 100;

const folders = ['bench', 'contracts', 'connectors', 'ops', 'packages', 'services', 'stack', 'test'];
const json = execFileSync('depcruise', ['--config', '.dependency-cruiser.cjs', '--output-type', 'json', ...folders], {
  encoding: 'utf8',
  maxBuffer: 2 ** 28,
});
const { modules, summary } = JSON.parse(json) as {
  modules: readonly CruisedModule[];
  summary: { totalCruised: number; violations: { from: string; to: string; rule: { name: string } }[] };
};
const problems = [
  ...summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`),
  ...findFolderCycles(modules).map((cycle) => `no-folder-cycles: ${cycle.join(' -> ')}`),
  ...(summary.totalCruised < fewestModules ? [`only ${summary.totalCruised} modules were cruised`] : []),
];
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
else console.log(`walls: ${summary.totalCruised} modules, no violation`);
