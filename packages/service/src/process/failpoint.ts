type Action = () => unknown;

const armed = new Map<string, Action>();

/**
 * A place where a test makes the process die, fail or wait. Does nothing in production: there is no
 * setting that arms one.
 */
export async function failpoint(name: string): Promise<void> {
  if (armed.size > 0) await armed.get(name)?.();
}

/**
 * Arms a failpoint of this process; returns the undo. For tests alone: in the test itself, or in an
 * entry file of its own that arms and then imports the real one.
 */
export function setFailpoint(name: string, action: Action): () => void {
  armed.set(name, action);
  return () => armed.delete(name);
}
