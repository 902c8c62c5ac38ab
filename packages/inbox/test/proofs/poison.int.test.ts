import { headerNames } from '@board/contracts';
import { waitUntil } from '@board/test';
import { expect, inject, it } from 'vitest';
import { InvalidEventError } from '../../src/errors.ts';
import { deadLetterHeaders } from '../../src/fail/headers.ts';
import { openInboxLab, readDeadLetters } from '../support/inbox-lab.ts';
import { poisonedThing, poisonOf, poisons, type Poison } from '../support/poisons.ts';
import { seededRandom } from '../support/random.ts';
import { retryLag } from '../support/lag.ts';
import type { ThingRecord } from '../support/thing-codec.ts';
import { appliedVersions, thingLogHandler } from '../support/thing-log.ts';

const total = process.env['TIER'] === 'full' ? 20_000 : 1_000;
const lastVersion = 10;
const seed = Number(process.env['SEED'] ?? 1);
const kinds = Object.keys(poisons) as Poison[];

interface Aggregate {
  readonly id: string;
  readonly records: readonly ThingRecord[];
  readonly kinds: readonly (Poison | undefined)[];
}

it(
  `1 % of each poison among ${total} records stops no other event`,
  { timeout: 300_000 },
  async () => {
    const lab = await openInboxLab(inject('stack'));
    try {
      const random = seededRandom(seed);
      const draw = (): Poison | undefined =>
        random.chance(kinds.length / 100) ? random.pick(kinds) : undefined;
      const aggregates = Array.from({ length: total / lastVersion }, (_, index): Aggregate => {
        const id = `t${index}`;
        const drawn = Array.from({ length: lastVersion }, draw);
        const records = drawn.map((kind, at) =>
          kind ? poisonedThing(lab, kind, id, at + 1) : lab.thing(id, at + 1),
        );
        return { id, records, kinds: drawn };
      });
      const { inbox } = await lab.start(
        thingLogHandler({
          batch: true,
          sabotage: ({ eventId }) => {
            const kind = poisonOf(eventId);
            if (kind === 'called-invalid') throw new InvalidEventError('planted');
            if (kind === 'fails-always') throw new Error('planted');
          },
        }),
      );
      const startedAt = performance.now();
      const producing = lab.produce(
        Array.from({ length: lastVersion }, (_, at) =>
          aggregates.flatMap(({ records }) => records[at] ?? []),
        ).flat(),
      );

      // Neighbours: everything that no poison precedes is applied without waiting for the retries
      // of others.
      const firstPoison = ({ kinds }: Aggregate): number =>
        kinds.findIndex((kind) => kind !== undefined);
      const expected = new Map(
        aggregates.map((one) => {
          const length = firstPoison(one) === -1 ? lastVersion : firstPoison(one);
          return [one.id, Array.from({ length }, (_, index) => index + 1)] as const;
        }),
      );
      const healthy = [...expected.values()].reduce((sum, { length }) => sum + length, 0);
      await producing;
      const producedAt = performance.now();
      await lab.caughtUp(240_000);
      const [{ count } = { count: 0 }] = await lab.rows<{ count: number }>(
        'SELECT COUNT(*) AS count FROM thing_log',
      );
      const seconds = (since: number): string => ((performance.now() - since) / 1_000).toFixed(1);
      process.stderr.write(
        `poison: ${total} records, ${healthy} healthy applied ${seconds(startedAt)} s after the first, ${seconds(producedAt)} s after the last\n`,
      );
      // At the end of the source topic nothing but what a poison precedes is still unapplied.
      expect(count).toBe(healthy);

      await waitUntil('every retry processed', async () => (await retryLag(lab)) === 0n, {
        timeoutMs: 60_000,
      });
      expect(await appliedVersions(lab.schema.root)).toEqual(
        new Map([...expected].filter(([, versions]) => versions.length > 0)),
      );

      // The first poison of each aggregate is dead-lettered; later ones wait their turn, except
      // those that have no place.
      const dead = aggregates.flatMap((one) =>
        one.records.flatMap((record, at) => {
          const kind = one.kinds[at];
          const isDead =
            kind === 'missing-headers' || (kind !== undefined && at === firstPoison(one));
          return isDead ? [{ record, reason: poisons[kind] }] : [];
        }),
      );
      const deadLetters = await readDeadLetters(lab);
      const facts = ({
        key,
        value,
        id,
        reason,
      }: {
        key: unknown;
        value: unknown;
        id: unknown;
        reason: unknown;
      }): string =>
        JSON.stringify([
          String(key),
          value === null ? null : (value as Buffer).toString('base64'),
          id,
          reason,
        ]);
      expect(
        deadLetters
          .map(({ key, value, headers }) =>
            facts({
              key,
              value,
              id: headers[headerNames.eventId],
              reason: headers[deadLetterHeaders.reason],
            }),
          )
          .toSorted(),
      ).toEqual(
        dead
          .map(({ record: { key, value, headers }, reason }) =>
            facts({ key, value, id: headers[headerNames.eventId], reason }),
          )
          .toSorted(),
      );

      const waiting = aggregates.flatMap((one) =>
        one.records.flatMap((_, at) =>
          firstPoison(one) !== -1 && at > firstPoison(one) && one.kinds[at] !== 'missing-headers'
            ? [`${one.id} ${at + 1}`]
            : [],
        ),
      );
      const parked = await lab.rows<{ aggregateid: string; version: number }>(
        'SELECT aggregateid, version FROM parked',
      );
      expect(
        parked.map(({ aggregateid, version }) => `${aggregateid} ${version}`).toSorted(),
      ).toEqual(waiting.toSorted());
      expect(inbox.breaker.isOpen()).toBe(false);
    } finally {
      await lab.close();
    }
  },
);
