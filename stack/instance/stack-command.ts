import type { Instance } from './instance.ts';

/** A command of the launcher as one types it for this instance. */
export function stackCommand(command: string, { name }: Pick<Instance, 'name'>): string {
  return `npm run stack -- ${command}${name === 'main' ? '' : ` --instance ${name}`}`;
}
