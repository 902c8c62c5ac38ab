import { writeHeaders, type RecordHeaders } from '@board/kafka';

type Value = Buffer | string | null;
type Values = Value | readonly Value[] | undefined;

/**
 * Headers by name, as a producer gives them; an array repeats its name, undefined leaves it out.
 */
export function toHeaders(byName: Readonly<Record<string, Values>>): RecordHeaders {
  return writeHeaders(
    Object.entries(byName).flatMap(([name, values]) =>
      listOf(values).map((value) => [name, value] as const),
    ),
  );
}

function listOf(values: Values): readonly Value[] {
  if (values === undefined) return [];
  return values === null || typeof values === 'string' || Buffer.isBuffer(values)
    ? [values]
    : values;
}
