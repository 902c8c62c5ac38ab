import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';

// Without its parser the cruiser sees no module and finds no fault.
const fewestModules = 100;

const folders = ['bench', 'contracts', 'connectors', 'ops', 'packages', 'services', 'stack', 'test'];

/** What has one way to do it: the text of another way, the files that may use it, and what the others take. */
const oneWay: readonly { readonly text: RegExp; readonly mayUse: RegExp; readonly instead: string }[] = [
  {
    text: /\bsetFailpoint\(/,
    mayUse: /[.]test[.]ts$|\/testing\/|(^|\/)test\/|^packages\/service-kit\/src\/process\/failpoint[.]ts$/,
    instead: "a test's own entry file: nothing in production arms a failpoint",
  },
  {
    text: /\.admin\(/,
    // Tests of the inbox hold a client of their own; the two files of its consumer are to take openAdmin.
    mayUse:
      /^packages\/(kafka-kit\/src\/admin[.]ts$|inbox\/(.*[.]test[.]ts$|src\/(testing\/|consume\/)))|^test\/chaos\/judge\//,
    instead: 'openAdmin or withAdmin of @board/kafka-kit',
  },
];

const json = execFileSync('depcruise', ['--config', '.dependency-cruiser.cjs', '--output-type', 'json', ...folders], {
  encoding: 'utf8',
  maxBuffer: 2 ** 28,
});
const { summary, modules } = JSON.parse(json) as {
  modules: readonly { readonly source: string; readonly dependencies: readonly { readonly resolved: string }[] }[];
  summary: { totalCruised: number; violations: { from: string; to: string; rule: { name: string } }[] };
};
const problems = summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`);
if (summary.totalCruised < fewestModules) problems.push(`only ${summary.totalCruised} modules were cruised`);
for (const file of modules
  .map(({ source }) => source)
  .filter((source) => /^(?!.*node_modules\/).*[.]ts$/.test(source))) {
  const source = readFileSync(file, 'utf8');
  for (const { text, mayUse, instead } of oneWay)
    if (file !== 'test/setup/check-walls.ts' && !mayUse.test(file) && text.test(source))
      problems.push(`one-way: ${file} has ${String(text)}; take ${instead}`);
}

// The cruiser's own rule for folders counts tests, which may look over a wall.
const kitSource = /^packages\/(?:database-kit|kafka-kit|registry|service-kit)\/src\/(?!.*[.]test[.]ts$)/;
const importedBy = new Map<string, Set<string>>();
for (const { source, dependencies } of modules)
  for (const { resolved } of dependencies) {
    const [from, to] = [dirname(source), dirname(resolved)];
    if (!kitSource.test(source) || !kitSource.test(resolved) || from === to) continue;
    importedBy.set(to, (importedBy.get(to) ?? new Set()).add(from));
  }
const reaches = (from: string, to: string, seen = new Set<string>()): boolean =>
  [...(importedBy.get(from) ?? [])].some(
    (next) => next === to || (!seen.has(next) && reaches(next, to, seen.add(next))),
  );
for (const folder of importedBy.keys())
  if (reaches(folder, folder)) problems.push(`no-cycles-between-folders: ${folder} imports itself over other folders`);

for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
else console.log(`walls: ${summary.totalCruised} modules, no violation`);
