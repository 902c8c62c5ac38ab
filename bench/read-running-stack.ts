import { readStack } from '@board/stack';
import { addressesOf, type StackAddresses } from '@board/test';

/** Addresses of a native stack that runs now; throws with the command that starts one. */
export function readRunningStack(instance: string): StackAddresses {
  const stack = readStack(instance);
  if (!stack) throw new Error(`The stack "${instance}" does not run: npm run stack -- --instance ${instance} up`);
  return addressesOf(stack);
}
