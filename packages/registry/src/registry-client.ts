/** The registry's own codes for "unknown"; a proxy's 404, or that of a wrong path, has neither. */
export const registryCodes = { unknownSubject: 40401, unknownSchema: 40403 } as const;

/** One whole answer of the registry, or of a proxy before it. */
export interface RegistryAnswer {
  readonly status: number;
  readonly text: string;
  /** Undefined: not JSON, or cut. */
  readonly json: unknown;
  /** The registry's own; undefined when something else answered. */
  readonly errorCode: number | undefined;
}

type Method = 'GET' | 'POST' | 'PUT';

/**
 * A registry that speaks Confluent's REST API. Every method throws when no whole answer came, and
 * returns every other answer as it is, also an error.
 */
export interface RegistryClient {
  ask(method: Method, path: string, body?: object): Promise<RegistryAnswer>;
  /** What an id means: `{ schema, schemaType?, references? }`. */
  schemaById(id: number): Promise<RegistryAnswer>;
  /** Finds this very schema in the subject, also when a newer version exists: `{ id }`. */
  findSchema(subject: string, schema: string): Promise<RegistryAnswer>;
  /** The numbers of the subject's versions. */
  versionsOf(subject: string): Promise<RegistryAnswer>;
  /** Registers the schema as the subject's next version, or finds it: `{ id }`. */
  registerSchema(subject: string, schema: string): Promise<RegistryAnswer>;
  /** Compares with all versions of the subject, not only the latest: `{ is_compatible }`. */
  checkCompatibility(subject: string, schema: string): Promise<RegistryAnswer>;
  /** The subject's own level, not the registry's: `{ compatibilityLevel }`. */
  compatibilityOf(subject: string): Promise<RegistryAnswer>;
  setCompatibility(subject: string, level: string): Promise<RegistryAnswer>;
}

export interface RegistryClientOptions {
  /** For one answer, to its last byte. */
  readonly timeoutMs: number;
  /** Ends what is under way. */
  readonly signal?: AbortSignal;
}

const contentType = 'application/vnd.schemaregistry.v1+json';

/**
 * Opens the API at `url`, such as `http://127.0.0.1:8081/apis/ccompat/v7`. It keeps no answer: the
 * registry may answer differently the next time.
 */
export function createRegistryClient(
  url: string,
  { timeoutMs, signal }: RegistryClientOptions,
): RegistryClient {
  const base = url.replace(/\/$/, '');

  async function ask(method: Method, path: string, body?: object): Promise<RegistryAnswer> {
    const timeout = AbortSignal.timeout(timeoutMs);
    const response = await fetch(base + path, {
      method,
      headers: { 'Content-Type': contentType, Accept: contentType },
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const json = parseJson(text);
    return { status: response.status, text, json, errorCode: errorCodeOf(json) };
  }

  const pathOf = (subject: string): string => `/subjects/${encodeURIComponent(subject)}`;
  const levelPathOf = (subject: string): string => `/config/${encodeURIComponent(subject)}`;

  return {
    ask,
    schemaById: (id) => ask('GET', `/schemas/ids/${id}`),
    findSchema: (subject, schema) => ask('POST', pathOf(subject), { schema, schemaType: 'AVRO' }),
    versionsOf: (subject) => ask('GET', `${pathOf(subject)}/versions`),
    registerSchema: (subject, schema) => ask('POST', `${pathOf(subject)}/versions`, { schema }),
    checkCompatibility: (subject, schema) =>
      ask('POST', `/compatibility${pathOf(subject)}/versions`, { schema }),
    compatibilityOf: (subject) => ask('GET', levelPathOf(subject)),
    setCompatibility: (subject, level) =>
      ask('PUT', levelPathOf(subject), { compatibility: level }),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function errorCodeOf(json: unknown): number | undefined {
  const code =
    typeof json === 'object' && json !== null && 'error_code' in json ? json.error_code : undefined;
  return typeof code === 'number' ? code : undefined;
}
