/** The parts of `launch.mjs` that its test calls. */
export function platformProblem(
  platform: string,
  arch: string,
  nodeVersion: string,
): string | undefined;

interface Lock {
  readonly packages: Readonly<
    Record<string, { readonly version?: string; readonly optional?: boolean }>
  >;
}

export function isInstalled(lock: Lock, installed: Lock): boolean;
