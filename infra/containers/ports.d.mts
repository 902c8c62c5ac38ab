type Values = Readonly<Record<string, string | undefined>>;

interface ComposePort {
  readonly service: string;
  readonly host: string;
  readonly variable: string;
  readonly value: string;
}

export function readComposePorts(
  compose: string,
  values: Values,
  profiles: readonly string[],
): readonly ComposePort[];
export function isPort(value: string): boolean;
export function readDotEnv(text: string): Values;
