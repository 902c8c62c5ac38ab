import type { openAdmin } from '@board/kafka';
import { z } from 'zod';
import type { Resource } from './resource.ts';

const spec = z.object({
  authentication: z.object({ type: z.literal('scram-sha-512') }),
  authorization: z.object({
    type: z.literal('simple'),
    acls: z.array(
      z.object({
        resource: z.object({
          type: z.enum(['topic', 'group']),
          name: z.string(),
          patternType: z.enum(['literal', 'prefix']),
        }),
        operations: z.array(
          z.enum(['Create', 'Delete', 'Describe', 'DescribeConfigs', 'Read', 'Write']),
        ),
      }),
    ),
  }),
});

// The numbers of Kafka's protocol.
const resourceTypes = { topic: 2, group: 3 } as const;
const patternTypes = { literal: 3, prefix: 4 } as const;
const operations = {
  Read: 3,
  Write: 4,
  Create: 5,
  Delete: 6,
  Describe: 8,
  DescribeConfigs: 10,
} as const;
const allow = 3;

type Admin = Awaited<ReturnType<typeof openAdmin>>;

/** Gives a KafkaUser's rules to the brokers, as the operator does. */
export async function grantRules(admin: Admin, user: Resource): Promise<void> {
  const { acls } = spec.parse(user['spec']).authorization;
  await admin.createAcls({
    acl: acls.flatMap(({ resource, operations: allowed }) =>
      allowed.map((operation) => ({
        principal: `User:${user.metadata.name}`,
        host: '*',
        resourceType: resourceTypes[resource.type],
        resourceName: resource.name,
        resourcePatternType: patternTypes[resource.patternType],
        operation: operations[operation],
        permissionType: allow,
      })),
    ),
  });
}
