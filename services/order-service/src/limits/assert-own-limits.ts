import { findMisfits } from './fit.ts';
import { ownFits } from './own-fits.ts';
import { ownLimits, type OwnLimits } from './own-limits.ts';

/** Throws when limits of this program and its contracts contradict each other. */
export function assertOwnLimits(limits: OwnLimits = ownLimits): void {
  const misfits = findMisfits(ownFits(limits));
  if (misfits.length > 0) throw new Error(`The limits contradict each other: ${misfits.join('; ')}.`);
}
