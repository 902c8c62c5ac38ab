/** Undefined when the address answers 200, else what it said. */
export async function probeHttp(url: string): Promise<string | undefined> {
  const response = await fetch(url, { signal: AbortSignal.timeout(3000) });
  const body = await response.text();
  return response.status === 200 ? undefined : `${url} says ${response.status} ${body.slice(0, 200)}`;
}
