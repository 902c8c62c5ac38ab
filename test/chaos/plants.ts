import type { Edit } from '../upgrade/lay-out-version.ts';

/** Refused by the handler: every event whose version and board say so, at its first attempts. */
const refusedShare = 0.03;

/**
 * The handler of catalog-service refuses some events at their first attempt, and a few of these at
 * their second as well; it notes each in the file that CHAOS_REFUSALS names.
 */
const refusingHandler: readonly Edit[] = [
  {
    file: 'services/catalog-service/src/application/board-handler.ts',
    from: 'function toChange({ event, aggregateId, version }: Message<BoardEvent>): CatalogChange {\n',
    to: `function toChange({ event, eventId, attempt, aggregateId, version }: Message<BoardEvent>): CatalogChange {
  const drawn = Number.parseInt(eventId.slice(-4), 16) / 0x1_0000;
  if ((attempt === 1 && drawn < ${refusedShare}) || (attempt === 2 && drawn < ${refusedShare / 4})) {
    appendFileSync(process.env['CHAOS_REFUSALS'] ?? '', JSON.stringify({ aggregateId, version, attempt }) + '\\n');
    throw new Error('refused on purpose');
  }
`,
  },
  {
    file: 'services/catalog-service/src/application/board-handler.ts',
    from: "import type { BoardEvent } from '@board/contracts';\n",
    to: "import { appendFileSync } from 'node:fs';\nimport type { BoardEvent } from '@board/contracts';\n",
  },
];

/** Faults that the shipped code does not have; each breaks a rule that its comments state. */
const plants = {
  'offset-before-database': [
    {
      file: 'packages/inbox/src/consume/partition-loop.ts',
      from: '      const result = slice === undefined ? ',
      to: `      const end = taken.at(-1);
      if (end !== undefined) {
        const offset = String(BigInt(end.offset) + 1n);
        await commitOffsetsIfNecessary({ topics: [{ topic, partitions: [{ partition, offset }] }] });
      }
      const result = slice === undefined ? `,
    },
  ],
  'registry-error-as-invalid-event': [
    {
      file: 'packages/inbox/src/schemas/resolver.ts',
      from: `        if (own === undefined || own.decision === 'refused') throw answer.error;
`,
      to: `        set(key, { kind: 'invalid', problem: \`\${nameOf(key)} is not an Avro schema of the registry\` });
        continue;
`,
    },
  ],
  'retry-after-offset': [
    {
      file: 'packages/inbox/src/apply/apply-batch.ts',
      from: '  const unblocked = await routeFailures(inbox, result);\n',
      to: `  // Collected for a while, as if fewer requests were better.
  setTimeout(() => void routeFailures(inbox, result).catch(() => undefined), 2_500);
  const unblocked: readonly string[] = [];
`,
    },
  ],
} as const satisfies Record<string, readonly Edit[]>;

export type PlantName = keyof typeof plants;
export const plantNames = Object.keys(plants) as readonly PlantName[];

/** What is changed in the copy of the services that a run uses. */
export function editsOf(plant: PlantName | undefined): readonly Edit[] {
  return [...refusingHandler, ...(plant === undefined ? [] : plants[plant])];
}
