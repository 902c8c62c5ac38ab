import {
  compareConfig,
  findProblems,
  type ConnectApi,
  type ConnectorDefinition,
} from '@board/relay';
import { printable } from '@board/service';
import { counted, printJson } from '../../cli/print.ts';

interface Output {
  readonly json?: true;
}

/** Prints what Connect finds wrong and, with `withChanges`, what registering would change. */
export async function checkAll(
  api: ConnectApi,
  definitions: readonly ConnectorDefinition[],
  flags: Output,
  withChanges: boolean,
): Promise<void> {
  for (const definition of definitions) {
    const { name } = definition;
    const problems = await findProblems(api, definition);
    if (problems.length > 0) process.exitCode = 1;
    const changes = withChanges ? await differences(api, definition) : [];
    if (flags.json === true) printJson({ name, problems, ...(withChanges && { changes }) });
    else {
      if (problems.length > 0) console.log(`${name}: ${counted(problems.length, 'problem')}`);
      else console.log(`${name}: valid`);
      for (const problem of problems) console.log(printable(`  ${problem}`));
      if (withChanges) printChanges(name, changes, flags);
    }
  }
}

/** What a registered connector has otherwise than its definition, a line for each key. */
export async function differences(
  api: ConnectApi,
  definition: ConnectorDefinition,
): Promise<readonly string[]> {
  const running = await api.getConfig(definition.name);
  return running === undefined ? ['not registered'] : compareConfig(running, definition);
}

/** Prints the lines of `differences`. */
export function printChanges(name: string, changes: readonly string[], { json }: Output): void {
  if (json === true) return printJson({ name, changes });
  if (changes.length === 0) console.log(`${name}: no difference`);
  for (const line of changes) console.log(printable(`${name}: ${line}`));
}
