import { describe, expect, test, type TestContext } from 'vitest';
import { buildManifests } from './build-manifests.ts';
import {
  fetchKedaSchemas,
  fetchKubernetesSchemas,
  fetchStrimziSchemas,
  kubernetesVersions,
} from './fetch-schemas.ts';
import { folders, readManifests } from './read-manifests.ts';
import type { Resource } from './resource.ts';
import type { FindSchema } from './resource-schemas.ts';

// Each set of schemas comes by the package manager of its own language. Where that is missing, or
// has no way out, the test is skipped with the command and its error.
async function orSkip<Value>(
  { skip }: TestContext,
  tried: string,
  work: () => Promise<Value>,
): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    return skip(`${tried}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const isStrimzi = ({ apiVersion }: Resource): boolean => apiVersion.startsWith('kafka.strimzi.io/');
const isKeda = ({ apiVersion }: Resource): boolean => apiVersion.startsWith('keda.sh/');
const isKubernetes = (resource: Resource): boolean => !isStrimzi(resource) && !isKeda(resource);

function problemsOf(resources: readonly Resource[], find: FindSchema): string[] {
  return resources.flatMap((resource) => {
    const name = `${resource.kind}/${resource.metadata.name}`;
    const validate = find(resource);
    if (validate === undefined) return [`${name}: no schema for ${resource.apiVersion}`];
    validate(resource);
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) =>
        `${name}${instancePath} ${message} ${JSON.stringify(params)}`,
    );
  });
}

/** The same, with one unknown field, at two depths. */
function spoil(resource: Resource): Resource[] {
  const spec = typeof resource['spec'] === 'object' ? resource['spec'] : {};
  return [
    { ...resource, nonsense: 1 },
    { ...resource, spec: { ...spec, nonsense: 1 } },
  ];
}

interface SchemaSet {
  readonly of: string;
  readonly command: string;
  readonly fetch: () => Promise<FindSchema>;
  readonly isTheirs: (resource: Resource) => boolean;
}

const sets: SchemaSet[] = [
  ...kubernetesVersions.map((version) => ({
    of: `Kubernetes ${version}`,
    command: 'python3 -m pip download kubernetes-validate',
    fetch: () => fetchKubernetesSchemas(version),
    isTheirs: isKubernetes,
  })),
  {
    of: 'Strimzi',
    command: 'mvn dependency:copy-dependencies',
    fetch: fetchStrimziSchemas,
    isTheirs: isStrimzi,
  },
  { of: 'KEDA', command: 'go mod download', fetch: fetchKedaSchemas, isTheirs: isKeda },
];

describe.each(sets)('the schemas of $of', { timeout: 400_000 }, ({ command, fetch, isTheirs }) => {
  let schemas: Promise<FindSchema> | undefined;
  const find = (context: TestContext) => orSkip(context, command, () => (schemas ??= fetch()));

  test('fit every manifest of theirs, and no unknown field passes', async (context) => {
    const schemaOf = await find(context);
    const theirs = folders.flatMap(readManifests).filter(isTheirs);
    expect(theirs.length).toBeGreaterThan(0);
    expect(problemsOf(theirs, schemaOf)).toEqual([]);
    for (const spoilt of theirs.filter(({ kind }) => kind !== 'Secret').flatMap(spoil)) {
      expect(problemsOf([spoilt], schemaOf)).not.toEqual([]);
    }
  });

  for (const [folder, written] of [
    ['overlays/example', 'base'],
    ...folders.map((name) => [name, name]),
  ] as const) {
    test(`fit what Kustomize makes of ${folder}`, async (context) => {
      const built = await orSkip(context, 'kubectl kustomize, kustomize build', () =>
        buildManifests(folder),
      );
      const schemaOf = await find(context);
      expect(built.length).toBe(readManifests(written).length);
      expect(problemsOf(built.filter(isTheirs), schemaOf)).toEqual([]);
    });
  }
});
