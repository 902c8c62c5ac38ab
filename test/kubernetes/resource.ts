import { z } from 'zod';

const resourceSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({
    name: z.string(),
    labels: z.record(z.string(), z.string()).optional(),
  }),
});

/** One Kubernetes resource, its own fields not parsed yet. */
export type Resource = z.output<typeof resourceSchema>;

export function toResource(value: unknown): Resource {
  return resourceSchema.parse(value);
}
