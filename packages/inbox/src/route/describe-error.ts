export interface ErrorText {
  readonly errorClass: string;
  readonly message: string;
  readonly stack: string;
}

const maxClassLength = 200;
const maxMessageLength = 1_000;
const maxStackLength = 4_096;

/** An error of any kind, a thrown string, undefined or object without a prototype too, as bounded text; never throws. */
export function describeError(error: unknown): ErrorText {
  const isError = error instanceof Error;
  return {
    errorClass: toText(() => (isError ? error.name || 'Error' : typeof error)).slice(0, maxClassLength),
    message: toText(() => (isError ? error.message : error)).slice(0, maxMessageLength),
    stack: toText(() => (isError ? (error.stack ?? '') : '')).slice(0, maxStackLength),
  };
}

/** Handlers throw whatever they like: even reading a property or turning it into text may throw. */
function toText(read: () => unknown): string {
  try {
    return String(read());
  } catch {
    return 'cannot be shown';
  }
}
