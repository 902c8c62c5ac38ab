interface ErrorLine {
  readonly type: string;
  readonly message: string;
  readonly code?: unknown;
  readonly stack?: string;
  readonly cause?: ErrorLine;
}

/** An error as a log line shows it; other properties are left out, for drivers put the statement's data there. */
export function describeError(error: unknown, causesLeft = 5): ErrorLine {
  try {
    return describe(error, causesLeft);
  } catch {
    // People throw whatever they like: even reading a property or turning it into text may throw.
    return { type: typeof error, message: 'cannot be shown' };
  }
}

function describe(error: unknown, causesLeft: number): ErrorLine {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error) };
  const { name: type, message, stack, cause } = error;
  return {
    type,
    message,
    ...('code' in error && { code: error.code }),
    ...(stack !== undefined && { stack }),
    ...(cause !== undefined && causesLeft > 0 && { cause: describeError(cause, causesLeft - 1) }),
  };
}
