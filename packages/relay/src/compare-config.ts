type Config = Readonly<Record<string, string>>;

/**
 * Says in lines what changes from the running configuration to the wanted one; none when they are
 * equal.
 */
export function compareConfig(running: Config, wanted: Config): string[] {
  const keys = [...new Set([...Object.keys(running), ...Object.keys(wanted)])].sort();
  return keys.flatMap((key) => {
    const before = running[key];
    const after = wanted[key];
    if (before === after) return [];
    if (before === undefined) return [`+ ${key} = ${show(key, after)}`];
    if (after === undefined) return [`- ${key} = ${show(key, before)}`];
    return [`~ ${key}: ${show(key, before)} -> ${show(key, after)}`];
  });
}

/** A password that is written out does not get into a log; a reference to one does. */
function show(key: string, value: string | undefined): string {
  const isReference = value?.startsWith('${') ?? false;
  return /password|secret/i.test(key) && !isReference ? '(hidden)' : String(value);
}
