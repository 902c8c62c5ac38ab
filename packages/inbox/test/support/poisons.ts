import type { InboxLab } from './inbox-lab.ts';
import type { ThingRecord } from './thing-codec.ts';

/** Every way in which a record can never be applied, with the reason that its dead letter gives. */
export const poisons = {
  'null-value': 'invalid-event',
  'bad-magic': 'invalid-event',
  'unknown-schema': 'invalid-event',
  'truncated-avro': 'invalid-event',
  'missing-headers': 'no-identity',
  'called-invalid': 'invalid-event',
  'fails-always': 'attempts-exhausted',
} as const;

export type Poison = keyof typeof poisons;

/** A record with this flaw; what only a handler can find wrong is named in its event's id. */
export function poisonedThing(
  lab: InboxLab,
  kind: Poison,
  id: string,
  version: number,
): ThingRecord {
  const whole = lab.thing(id, version, { text: kind }).value as Buffer;
  switch (kind) {
    case 'null-value':
      return lab.thing(id, version, { value: null });
    case 'bad-magic':
      return lab.thing(id, version, {
        value: Buffer.concat([Buffer.from([7]), whole.subarray(1)]),
      });
    case 'unknown-schema':
      return lab.thing(id, version, {
        value: Buffer.concat([Buffer.from([0, 0x7f, 0xff, 0xff, 0xff]), whole.subarray(5)]),
      });
    case 'truncated-avro':
      return lab.thing(id, version, { value: whole.subarray(0, 7) });
    case 'missing-headers':
      return lab.thing(id, version, { headers: { version: undefined } });
    case 'called-invalid':
    case 'fails-always':
      return lab.thing(id, version, { eventId: `${kind} ${id} ${version}`.replaceAll(' ', '.') });
  }
}

/** The poison that a handler finds in an event. */
export function poisonOf(eventId: string): Poison | undefined {
  return (['called-invalid', 'fails-always'] as const).find((kind) =>
    eventId.startsWith(`${kind}.`),
  );
}
