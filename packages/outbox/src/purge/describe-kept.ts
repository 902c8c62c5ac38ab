import type { KeptRows } from './purge-outbox.ts';

/** What an operator reads of rows that stay although the connector has passed them; undefined when there are none. */
export function describeKept({ missing, examples, undecided }: KeptRows): string | undefined {
  const parts: string[] = [];
  if (missing > 0) {
    const names = examples.map(({ seq, aggregateId, version }) => `${aggregateId} version ${version} (seq ${seq})`);
    const more = missing > names.length ? `, and ${missing - names.length} more` : '';
    parts.push(
      `${rows(missing)} never reached the topic, although the connector has passed them: ${names.join(', ')}${more}. ` +
        'They stay; "npm run outbox -- redrive" ships them',
    );
  }
  if (undecided > 0) {
    parts.push(
      `${rows(undecided)} stay: the consumer does not have them, and has too much unread to look for them in it`,
    );
  }
  return parts.length === 0 ? undefined : parts.join('. ');
}

function rows(count: number): string {
  return `${count} old outbox row${count === 1 ? '' : 's'}`;
}
