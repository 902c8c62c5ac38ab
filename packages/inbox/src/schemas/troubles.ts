import type { Alarms, Logger } from '@board/service-kit';
import type { SchemaKey, SchemaMemory } from '../store/schema-memory.ts';
import { nameOf } from './schema.ts';

const alarm = 'schemas';
const namedTroubles = 5;
const namedDeadLetters = 10;
/** What is still in the way is met again every few seconds: what was not for so long is another instance's now. */
const forgetAfterMs = 60_000;

interface Trouble {
  readonly reason: string;
  /** Dead letters that were published for it before it was clear. */
  readonly deadLetters: string;
  readonly seenMs: number;
}

/** Schema ids that are the registry's fault, as an alarm tells them. */
export interface SchemaTroubles {
  /** Safe to call for each batch that meets it. */
  note(key: SchemaKey, reason: string): Promise<void>;
  forget(key: SchemaKey): void;
  /** Raises the alarm, or clears it when nothing was met for a while. */
  show(): void;
}

export interface SchemaTroublesParts {
  readonly memory: Pick<SchemaMemory, 'findDeadLetters'>;
  readonly alarms: Alarms;
  readonly logger: Logger;
  readonly elapsedMs: () => number;
}

export function trackSchemaTroubles({ memory, alarms, logger, elapsedMs }: SchemaTroublesParts): SchemaTroubles {
  const troubles = new Map<string, Trouble>();

  async function describeDeadLetters(key: SchemaKey): Promise<string> {
    const text = `${nameOf(key)} `;
    const { count, letters } = await memory.findDeadLetters(text, namedDeadLetters);
    if (count === 0) return '';
    const more = count > letters.length ? ' and more' : '';
    return `; dead-lettered before this was clear: ${count} (${letters.join(', ')}${more}), replay them afterwards: npm run dlq -- replay --error "${text}"`;
  }

  return {
    async note(key: SchemaKey, reason: string): Promise<void> {
      const name = nameOf(key);
      const known = troubles.get(name);
      const seenMs = elapsedMs();
      if (known?.reason === reason) {
        troubles.set(name, { ...known, seenMs });
        return;
      }
      logger.error({ event: 'inbox.schema-trouble', eventType: key.eventType, schemaId: key.schemaId, reason });
      const deadLetters = await describeDeadLetters(key);
      troubles.set(name, { reason, deadLetters, seenMs });
    },
    forget: (key) => void troubles.delete(nameOf(key)),
    show(): void {
      for (const [name, { seenMs }] of troubles) if (elapsedMs() - seenMs > forgetAfterMs) troubles.delete(name);
      if (troubles.size === 0) return alarms.clear(alarm);
      const all = [...troubles.values()].map(({ reason, deadLetters }) => reason + deadLetters);
      const more = all.length > namedTroubles ? `; and ${all.length - namedTroubles} more` : '';
      alarms.raise(
        alarm,
        `${all.slice(0, namedTroubles).join('; ')}${more}; "npm run inbox -- schemas" compares, docs/runbook.md "The registry lost schemas" has the ways out`,
      );
    },
  };
}
