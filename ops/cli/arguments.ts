import { InvalidArgumentError } from 'commander';

const unitsMs: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** A date and time, or how long ago: 90s, 15m, 2h, 3d. */
export function parseTime(text: string): number {
  const [, amount, unit = ''] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  if (amount !== undefined) return Date.now() - Number(amount) * (unitsMs[unit] ?? 0);
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time))
    throw new InvalidArgumentError(
      'It wants 2026-01-31T12:00:00Z, or how long ago: 90s, 15m, 2h, 3d.',
    );
  return time;
}

export function parseVersion(text: string): number {
  if (/^[1-9]\d{0,9}$/.test(text) && Number(text) < 2 ** 32) return Number(text);
  throw new InvalidArgumentError('It wants a whole number from 1 to 4294967295.');
}

/** What the key columns can hold: anything longer or stranger is no id. */
export function parseAggregateId(text: string): string {
  if (/^[\x21-\x7e]{1,64}$/.test(text)) return text;
  throw new InvalidArgumentError('It wants 1-64 visible ASCII characters.');
}

export function parseRate(text: string): number {
  const rate = Number(text);
  if (rate > 0 && rate <= 100_000) return rate;
  throw new InvalidArgumentError('It wants dead letters per second, more than 0.');
}

export function parseText(text: string): string {
  if (text.trim() !== '') return text;
  throw new InvalidArgumentError('It wants a text.');
}

const durationUnitsMs: Readonly<Record<string, number>> = {
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** 90m, 36h, 7d in milliseconds. */
export function parseDuration(text: string): number {
  const [, amount, unit = ''] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  if (amount === undefined) throw new InvalidArgumentError('It wants a duration: 90m, 36h, 7d.');
  return Number(amount) * (durationUnitsMs[unit] ?? 0);
}

export function parseWholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It wants a whole number.');
}
