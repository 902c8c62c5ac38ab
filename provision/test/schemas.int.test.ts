import { randomUUID } from 'node:crypto';
import { eventSchemas } from '@board/contracts';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { registerSchemas } from '../schemas.ts';

const { registryUrl } = inject('stack');

const a = { name: 'a', type: 'string' };
const optional = { name: 'b', type: ['null', 'string'], default: null };

let subject: string;
let other: string;
beforeEach(() => {
  subject = `test-${randomUUID()}`;
  other = `test-${randomUUID()}`;
});
afterEach(async () => {
  for (const name of [subject, other])
    await fetch(`${registryUrl}/subjects/${name}`, { method: 'DELETE' });
});

function schema(...fields: object[]): string {
  return JSON.stringify({ type: 'record', name: 'T', namespace: 'test', fields });
}

async function versions(name: string): Promise<unknown> {
  const response = await fetch(`${registryUrl}/subjects/${name}/versions`);
  return response.ok ? response.json() : [];
}

describe('registerSchemas', () => {
  it('has registered every event of the pipeline: nothing is left to do', async () => {
    await registerSchemas(registryUrl);
    expect(await registerSchemas(registryUrl)).toEqual([]);
    for (const event of eventSchemas) expect(await versions(event.subject)).not.toEqual([]);
  });

  it('sets the compatibility of a new subject before its first version', async () => {
    const changes = await registerSchemas(registryUrl, [{ subject, schema: schema(a) }]);
    expect(changes).toEqual([
      `subject ${subject}: compatibility FULL_TRANSITIVE`,
      expect.stringMatching(`^subject ${subject}: registered with id \\d+$`),
    ]);
  });

  it('leaves a schema that is there alone, and registers a compatible change', async () => {
    await registerSchemas(registryUrl, [{ subject, schema: schema(a) }]);
    expect(await registerSchemas(registryUrl, [{ subject, schema: schema(a) }])).toEqual([]);
    expect(
      await registerSchemas(registryUrl, [{ subject, schema: schema(a, optional) }]),
    ).toHaveLength(1);
    expect(await versions(subject)).toEqual([1, 2]);
  });

  it('refuses an incompatible schema, names subject and reason, and registers none of the others', async () => {
    await registerSchemas(registryUrl, [{ subject, schema: schema(a) }]);
    const schemas = [
      { subject: other, schema: schema(a) },
      { subject, schema: schema(a, { name: 'required', type: 'string' }) },
    ];
    await expect(registerSchemas(registryUrl, schemas)).rejects.toThrow(
      new RegExp(`nothing was registered[\\s\\S]*${subject}[\\s\\S]*required at /fields/1`),
    );
    expect(await versions(subject)).toEqual([1]);
    expect(await versions(other)).toEqual([]);
  });

  it('asks all earlier versions, not only the latest', async () => {
    await registerSchemas(registryUrl, [{ subject, schema: schema(a, optional) }]);
    await registerSchemas(registryUrl, [{ subject, schema: schema(a) }]);
    // Fits version 2, which has no `b`, but not version 1, whose `b` is text.
    const numeric = schema(a, { name: 'b', type: 'int', default: 0 });
    await expect(registerSchemas(registryUrl, [{ subject, schema: numeric }])).rejects.toThrow(
      'nothing was registered',
    );
  });
});
