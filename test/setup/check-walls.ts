import { execFileSync } from 'node:child_process';

// Without its parser the cruiser sees no module and finds no fault.
const fewestModules = 100;

const folders = ['bench', 'contracts', 'connectors', 'ops', 'packages', 'services', 'stack', 'test'];
const json = execFileSync('depcruise', ['--config', '.dependency-cruiser.cjs', '--output-type', 'json', ...folders], {
  encoding: 'utf8',
  maxBuffer: 2 ** 28,
});
const { summary } = JSON.parse(json) as {
  summary: { totalCruised: number; violations: { from: string; to: string; rule: { name: string } }[] };
};
for (const { rule, from, to } of summary.violations) console.error(`${rule.name}: ${from} -> ${to}`);
if (summary.totalCruised < fewestModules) console.error(`only ${summary.totalCruised} modules were cruised`);
if (summary.violations.length > 0 || summary.totalCruised < fewestModules) process.exitCode = 1;
else console.log(`walls: ${summary.totalCruised} modules, no violation`);
