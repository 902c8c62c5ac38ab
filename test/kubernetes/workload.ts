import { z } from 'zod';
import type { Resource } from './resource.ts';

const probe = z.looseObject({ httpGet: z.object({ path: z.string(), port: z.string() }) });

const variable = z.object({
  name: z.string(),
  value: z.string().optional(),
  valueFrom: z
    .object({
      secretKeyRef: z.object({ name: z.string(), key: z.string() }).optional(),
      fieldRef: z.object({ fieldPath: z.string() }).optional(),
    })
    .optional(),
});

const container = z.looseObject({
  image: z.string(),
  command: z.array(z.string()).optional(),
  env: z.array(variable),
  ports: z.array(z.object({ name: z.string(), containerPort: z.number() })).default([]),
  startupProbe: probe.optional(),
  livenessProbe: probe.optional(),
  readinessProbe: probe.optional(),
  resources: z.object({
    requests: z.object({ cpu: z.string(), memory: z.string() }),
    limits: z.object({ memory: z.string() }),
  }),
  securityContext: z.object({
    allowPrivilegeEscalation: z.literal(false),
    readOnlyRootFilesystem: z.literal(true),
    capabilities: z.object({ drop: z.tuple([z.literal('ALL')]) }),
  }),
});

const podTemplate = z.object({
  metadata: z.object({
    labels: z.strictObject({
      'app.kubernetes.io/name': z.string(),
      'app.kubernetes.io/component': z.enum(['owner', 'consumer', 'keeper', 'registry', 'setup']),
    }),
  }),
  spec: z.looseObject({
    serviceAccountName: z.string(),
    automountServiceAccountToken: z.literal(false),
    securityContext: z.looseObject({ runAsNonRoot: z.literal(true), runAsUser: z.number().min(1) }),
    containers: z.tuple([container]),
  }),
});

/**
 * The one container of a Deployment or Job of ours, its pod, and what it is to the network's rules;
 * throws when the pod is not hardened or has no limits.
 */
export function readWorkload(resource: Resource) {
  const { template } = z.looseObject({ template: podTemplate }).parse(resource['spec']);
  const [only] = template.spec.containers;
  const { 'app.kubernetes.io/component': component, ...labels } = template.metadata.labels;
  return { pod: template.spec, labels, component, container: only };
}

/** What the process would see; `secret` stands for the value in a Secret. */
export function environmentOf(
  resource: Resource,
  secret = 'from-a-secret',
): Record<string, string> {
  const { env } = readWorkload(resource).container;
  return Object.fromEntries(
    env.map(({ name, value, valueFrom }) => [
      name,
      value ?? (valueFrom?.fieldRef ? resource.metadata.name : secret),
    ]),
  );
}
