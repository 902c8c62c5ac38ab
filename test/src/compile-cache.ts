const { NODE_COMPILE_CACHE } = process.env;

/**
 * For the environment of a program of ours: it loads in half the time when Node keeps what it
 * compiled.
 */
export const compileCache: Readonly<Record<string, string>> =
  NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE };
