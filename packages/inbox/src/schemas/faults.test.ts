import { expect, test } from 'vitest';
import { defaultSettings } from '../settings.ts';
import { decideSchemaFault, schemaEvidence, type SchemaFaultFacts } from './faults.ts';

const alone: SchemaFaultFacts = {
  isStable: true,
  registryKnowsOurSubjects: true,
  lostSchemas: [],
  aggregates: 1,
  typeDecodes: false,
};

test.each<[string, Partial<SchemaFaultFacts>, string]>([
  ['of one event that nothing else points at is the fault of the event', {}, 'event'],
  ['that was said once is unclear', { isStable: false }, 'unclear'],
  [
    'of a registry without our subjects is the fault of the registry',
    { registryKnowsOurSubjects: false },
    'registry',
  ],
  [
    'of a registry that lost other ids is the fault of the registry',
    { lostSchemas: ['schema id 1'] },
    'registry',
  ],
  ['of nine aggregates is the fault of their events', { aggregates: 9 }, 'event'],
  ['of ten aggregates is the fault of the registry', { aggregates: 10 }, 'registry'],
  [
    'of ten aggregates beside events that decode is the fault of their events',
    { aggregates: 10, typeDecodes: true },
    'event',
  ],
])('an unknown id %s', (_, changes, fault) => {
  expect(decideSchemaFault({ ...alone, ...changes }, defaultSettings).kind).toBe(fault);
});

test('an id is stably unknown once it was unknown for five seconds without another answer in between', () => {
  const evidence = schemaEvidence(defaultSettings);
  evidence.sawUnknown(7, 0);
  expect(evidence.isStablyUnknown(7, 0)).toBe(false);
  evidence.sawUnknown(7, 4_000);
  evidence.sawOtherwise(7);
  evidence.sawUnknown(7, 5_000);
  expect(evidence.isStablyUnknown(7, 5_000)).toBe(false);
  evidence.sawUnknown(7, 10_000);
  expect(evidence.isStablyUnknown(7, 10_000)).toBe(true);
  expect(evidence.isStablyUnknown(8, 10_000)).toBe(false);
});

test('aggregates and decoded events count for the window only, and an aggregate once', () => {
  const evidence = schemaEvidence(defaultSettings);
  const key = { eventType: 'T', schemaId: 7 };
  evidence.sawEvent({ ...key, aggregateId: 'a' }, 0);
  evidence.sawEvent({ ...key, aggregateId: 'b' }, 1);
  evidence.sawEvent({ ...key, aggregateId: 'a' }, 60_000);
  evidence.sawEvent({ ...key, schemaId: 8, aggregateId: 'c' }, 60_000);
  expect(evidence.aggregates(key, 60_000)).toBe(2);
  expect(evidence.aggregates(key, 60_002)).toBe(1);
  evidence.sawDecoded('T', 0);
  expect([evidence.decodesLately('T', 60_000), evidence.decodesLately('T', 60_001)]).toEqual([
    true,
    false,
  ]);
  expect(evidence.decodesLately('U', 0)).toBe(false);
});

test('unknown ids are remembered up to a bound, the newest first', () => {
  const evidence = schemaEvidence(defaultSettings);
  for (let schemaId = 0; schemaId < 30_000; schemaId += 1) evidence.sawUnknown(schemaId, 0);
  expect([evidence.isStablyUnknown(0, 9_999), evidence.isStablyUnknown(29_999, 9_999)]).toEqual([
    false,
    true,
  ]);
});
