import { Ajv, type ValidateFunction } from 'ajv';
import { z } from 'zod';
import { closeObjects } from './close-objects.ts';
import type { Resource } from './resource.ts';

/**
 * Finds the schema of a resource by its apiVersion and kind; undefined when none of the schemas is
 * about it.
 */
export type FindSchema = (
  resource: Pick<Resource, 'apiVersion' | 'kind'>,
) => ValidateFunction | undefined;

const newAjv = (): Ajv => new Ajv({ strict: false, allErrors: true, validateFormats: false });

const definitionsFile = z.object({
  $defs: z.record(
    z.string(),
    z.looseObject({
      'x-kubernetes-group-version-kind': z
        .array(z.object({ group: z.string(), version: z.string(), kind: z.string() }))
        .optional(),
    }),
  ),
});

/** Kubernetes' own definitions, already closed to unknown fields. */
export function findInDefinitions(file: unknown): FindSchema {
  const { $defs } = definitionsFile.parse(file);
  const ajv = newAjv().addSchema({ $id: 'kubernetes', $defs });
  const names = new Map(
    Object.entries($defs).flatMap(([name, definition]) =>
      (definition['x-kubernetes-group-version-kind'] ?? []).map(
        ({ group, version, kind }): [string, string] => [
          `${group === '' ? '' : `${group}/`}${version} ${kind}`,
          name,
        ],
      ),
    ),
  );
  return ({ apiVersion, kind }) => {
    const name = names.get(`${apiVersion} ${kind}`);
    return name === undefined ? undefined : ajv.getSchema(`kubernetes#/$defs/${name}`);
  };
}

const definition = z.object({
  spec: z.object({
    group: z.string(),
    names: z.object({ kind: z.string() }),
    versions: z.array(
      z.object({ name: z.string(), schema: z.object({ openAPIV3Schema: z.looseObject({}) }) }),
    ),
  }),
});

/** CustomResourceDefinitions, closed here as the API server closes them under strict validation. */
export function findInCustomResources(files: readonly unknown[]): FindSchema {
  const ajv = newAjv();
  const schemas = new Map(
    files.flatMap((file) => {
      const { group, names, versions } = definition.parse(file).spec;
      return versions.map(({ name, schema }): [string, ValidateFunction] => [
        `${group}/${name} ${names.kind}`,
        ajv.compile(z.looseObject({}).parse(closeObjects(schema.openAPIV3Schema))),
      ]);
    }),
  );
  return ({ apiVersion, kind }) => schemas.get(`${apiVersion} ${kind}`);
}
