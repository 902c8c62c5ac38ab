const branches = ['allOf', 'anyOf', 'not', 'oneOf'];

/**
 * The same schema, with `additionalProperties: false` wherever properties are listed and nothing
 * says that others are welcome. Branches only restrict what is listed beside them, so they stay
 * open.
 */
export function closeObjects(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closeObjects);
  if (typeof schema !== 'object' || schema === null) return schema;
  const closed: Record<string, unknown> = Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [
      key,
      branches.includes(key) ? value : closeObjects(value),
    ]),
  );
  const listed = 'properties' in schema && typeof schema.properties === 'object';
  const isOpen =
    'additionalProperties' in schema || 'x-kubernetes-preserve-unknown-fields' in schema;
  return listed && !isOpen ? { ...closed, additionalProperties: false } : closed;
}
