import { InvalidArgumentError } from 'commander';

const unitsMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** 90m, 36h, 7d in milliseconds. */
export function parseDuration(text: string): number {
  const [, amount, unit = ''] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  if (amount === undefined) throw new InvalidArgumentError('It wants a duration: 90m, 36h, 7d.');
  return Number(amount) * (unitsMs[unit] ?? 0);
}
