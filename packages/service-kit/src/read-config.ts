import { z } from 'zod';

/** The configuration cannot be used; the message is a report of every problem, fit for a terminal. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const secretName = /PASSWORD|SECRET|TOKEN|CREDENTIAL|PRIVATE/;

/** Reads the variables that `schema` names, or reports all problems at once; an empty variable counts as not set. */
export function readConfig<Schema extends z.ZodObject>(
  schema: Schema,
  env: NodeJS.ProcessEnv,
): Readonly<z.output<Schema>> {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const result = schema.safeParse(given);
  if (result.success) return Object.freeze(result.data);

  const lines = result.error.issues.map((issue) => {
    const variable = String(issue.path[0] ?? '(all)');
    return `  ${variable}: ${showGiven(variable, given[variable])}, wants ${wants(schema.shape[variable], issue.message)}`;
  });
  throw new ConfigError(['The configuration cannot be used:', ...new Set(lines)].join('\n'));
}

function showGiven(variable: string, value: string | undefined): string {
  if (value === undefined) return 'not set';
  return secretName.test(variable) ? 'got a value (hidden)' : `got ${JSON.stringify(value)}`;
}

function wants(field: unknown, message: string): string {
  if (!(field instanceof z.ZodType)) return message;
  if (field.description !== undefined) return field.description;
  // `.default()` wraps a field and hides its description.
  return field instanceof z.ZodDefault ? wants(field.def.innerType, message) : message;
}
