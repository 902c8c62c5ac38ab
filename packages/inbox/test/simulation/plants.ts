import type { Edit } from '../../../../test/upgrade/lay-out-version.ts';

const at = (file: string): string => `packages/inbox/src/${file}`;

/**
 * Faults that the shipped code does not have; each breaks a rule that a comment states beside the
 * line that is changed.
 */
export const plants = {
  'a mark is read without its lock': [
    {
      file: at('apply/apply-batch.ts'),
      from: '    const marks = await tx.marks.lock(deliveries.map(({ identity }) => identity.aggregateId));\n',
      to: `    const marks = new Map<string, Mark>();
    for (const { identity } of deliveries)
      marks.set(identity.aggregateId, (await tx.marks.find(identity.aggregateId)) ?? { version: 0, eventId: '' });
`,
    },
  ],
  'an offset is committed before the transaction': [
    {
      file: at('consume/partition-loop.ts'),
      from: '      // Markers of transactions alone: there is nothing to do but to pass them.\n',
      to: `      const end = taken.at(-1);
      if (end !== undefined) {
        const offset = String(BigInt(end.offset) + 1n);
        await commitOffsetsIfNecessary({ topics: [{ topic, partitions: [{ partition, offset }] }] });
      }
`,
    },
  ],
  'rows that a mark has passed stay parked': [
    {
      file: at('fail/dead-letters.ts'),
      from: '  await parked.deletePassed(moved, passed);\n',
      to: '',
    },
  ],
  'a failure is published after the offset': [
    {
      file: at('apply/apply-batch.ts'),
      from: '  const unblocked = await routeFailures(inbox, result);\n',
      to: `  inbox.clock.after(5, () => void routeFailures(inbox, result).catch(() => undefined));
  const unblocked: readonly string[] = [];
`,
    },
  ],
  'marks are kept in memory': [
    {
      file: at('apply/apply-batch.ts'),
      from: '    const plan = planBatch({\n      deliveries,\n      marks,\n',
      to: `    const known = remembered.get(inbox) ?? new Map<string, Mark>();
    remembered.set(inbox, known);
    for (const [id, mark] of marks) if (!known.has(id)) known.set(id, mark);
    const plan = planBatch({
      deliveries,
      marks: known,
`,
    },
    {
      file: at('apply/apply-batch.ts'),
      from: '    await tx.marks.move(moved);\n',
      to: '    await tx.marks.move(moved);\n    for (const [id, mark] of moved) known.set(id, mark);\n',
    },
    {
      file: at('apply/apply-batch.ts'),
      from: 'function movedMarks(',
      to: 'const remembered = new WeakMap<Inbox, Map<string, Mark>>();\n\nfunction movedMarks(',
    },
  ],
  'an event is decoded before its turn': [
    {
      file: at('decide.ts'),
      from: "    } else if (decision === 'park') park.push(delivery);\n",
      to: `    } else if (decision === 'park') {
      try {
        input.toMessage(delivery);
        park.push(delivery);
      } catch (error) {
        invalid.push({ delivery, error });
      }
    }
`,
    },
  ],
  'a dead letter is not in the index': [
    {
      file: at('fail/dead-letters.ts'),
      from: '  await store.transaction((tx) => tx.deadLetters.record(stored));\n',
      to: '',
    },
  ],
} as const satisfies Record<string, readonly Edit[]>;

export type Plant = keyof typeof plants;
export const plantNames = Object.keys(plants) as readonly Plant[];
