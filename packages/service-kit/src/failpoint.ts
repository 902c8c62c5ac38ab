type Action = () => unknown;

const known: Readonly<Record<string, Action>> = {
  kill: () => process.kill(process.pid, 'SIGKILL'),
  throw: () => {
    throw new Error('failpoint');
  },
};

const actions = new Map<string, Action>();

for (const entry of (process.env['FAILPOINTS'] ?? '').split(',').filter(Boolean)) {
  const [name = '', verb = ''] = entry.split(':');
  const action = known[verb];
  if (!action) throw new Error(`FAILPOINTS: ${entry} wants <name>:kill or <name>:throw`);
  actions.set(name, action);
}

/** A place where tests make the process die or wait; does nothing unless FAILPOINTS (`<name>:kill`) or a test names it. */
export async function failpoint(name: string): Promise<void> {
  if (actions.size > 0) await actions.get(name)?.();
}

/** Lets a test act at a failpoint in its own process; returns the undo. */
export function setFailpoint(name: string, action: Action): () => void {
  actions.set(name, action);
  return () => actions.delete(name);
}
