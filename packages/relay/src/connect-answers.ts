import * as z from 'zod';

const state = z.enum([
  'UNASSIGNED',
  'RUNNING',
  'PAUSED',
  'STOPPED',
  'FAILED',
  'RESTARTING',
  'DESTROYED',
]);

export const connectorStatus = z.object({
  name: z.string(),
  connector: z.object({ state, worker_id: z.string(), trace: z.string().optional() }),
  tasks: z.array(
    z.object({ id: z.number(), state, worker_id: z.string(), trace: z.string().optional() }),
  ),
});

export type ConnectorStatus = z.infer<typeof connectorStatus>;

export const connectorOffsets = z.object({
  offsets: z.array(
    z.object({
      partition: z.record(z.string(), z.unknown()),
      offset: z
        .looseObject({
          gtids: z.string().optional(),
          file: z.string().optional(),
          pos: z.number().optional(),
          /** Present while a snapshot is under way. */
          snapshot: z.union([z.string(), z.boolean()]).optional(),
        })
        .nullable(),
    }),
  ),
});

export type ConnectorOffsets = z.infer<typeof connectorOffsets>['offsets'];

export const validation = z.object({
  configs: z.array(
    z.object({ value: z.object({ name: z.string(), errors: z.array(z.string()) }).nullable() }),
  ),
});

export const connectorConfig = z
  .object({ name: z.string(), 'connector.class': z.string(), 'topic.prefix': z.string() })
  .catchall(z.string());
