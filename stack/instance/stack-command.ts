import type { Instance } from './instance.ts';

/** The command that starts this instance in the foreground, as one types it. */
export function startCommand({ name }: Pick<Instance, 'name'>, ...options: string[]): string {
  const all = [...(name === 'main' ? [] : ['--instance', name]), ...options];
  return all.length === 0 ? 'npm start' : `npm start -- ${all.join(' ')}`;
}

/** A command of the launcher as one types it for this instance. */
export function stackCommand(command: string, { name }: Pick<Instance, 'name'>): string {
  return `npm run stack -- ${command}${name === 'main' ? '' : ` --instance ${name}`}`;
}
