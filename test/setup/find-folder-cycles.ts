/** As much of the cruiser's report as this needs. */
export interface CruisedModule {
  readonly source: string;
  readonly dependencies: readonly { readonly resolved: string }[];
}

const test = /[.]test[.]ts$/;

/**
 * `packages/inbox/src/apply` of a file below it; undefined of a file that stands in `src` itself,
 * or outside of any.
 */
function folderOf(file: string): string | undefined {
  return /^(?:.*\/)?src\/[^/]+(?=\/)/.exec(file)?.[0];
}

/**
 * Cycles between the folders directly below each `src`, each as its folders in order, the first
 * again at the end. Files of `src` itself compose the folders, and tests import everything: neither
 * makes a cycle.
 */
export function findFolderCycles(
  modules: readonly CruisedModule[],
): readonly (readonly string[])[] {
  const uses = new Map<string, Set<string>>();
  for (const { source, dependencies } of modules) {
    const from = folderOf(source);
    if (from === undefined || test.test(source)) continue;
    for (const { resolved } of dependencies) {
      const to = folderOf(resolved);
      if (to === undefined || to === from) continue;
      const known = uses.get(from) ?? new Set();
      uses.set(from, known.add(to));
    }
  }

  const cycles: (readonly string[])[] = [];
  const done = new Set<string>();
  function walk(folder: string, path: readonly string[]): void {
    const at = path.indexOf(folder);
    if (at !== -1) return void cycles.push([...path.slice(at), folder]);
    if (done.has(folder)) return;
    for (const next of uses.get(folder) ?? []) walk(next, [...path, folder]);
    done.add(folder);
  }
  for (const folder of uses.keys()) walk(folder, []);
  return cycles;
}
