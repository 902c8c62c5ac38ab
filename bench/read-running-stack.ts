import { readStack, startCommand } from '@board/stack';
import { addressesOf, type StackAddresses } from '@board/test';
import type { Command } from 'commander';

/**
 * Addresses of a native stack that runs now; without one the program ends with the command that
 * starts it.
 */
export function readRunningStack(program: Command, instance: string): StackAddresses {
  const stack = readStack(instance);
  if (!stack)
    program.error(
      `The stack "${instance}" does not run: start it with "${startCommand({ name: instance })}".`,
    );
  return addressesOf(stack);
}
