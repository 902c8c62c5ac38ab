import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createTestSchema, type StackAddresses, type TestSchema } from '@board/test';

/** A service under load, with a schema of its own. */
export interface Contender {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
  readonly schema: TestSchema;
  stop(): Promise<void>;
}

const fileOf = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const migrate = fileOf('services/order-service/src/migrate.ts');

export const mains = {
  ours: fileOf('services/order-service/src/main.ts'),
  usual: fileOf('bench/producer/usual-service.ts'),
} as const;

/** Makes a schema with order-service's tables, lets `fill` put rows there, and starts the service on a free port. */
export async function startContender(
  stack: StackAddresses,
  name: string,
  main: string,
  fill: (schema: TestSchema) => Promise<void> = async () => undefined,
): Promise<Contender> {
  const schema = await createTestSchema(stack);
  try {
    const { host, port, user, password } = schema.connection;
    const env = {
      DATABASE_HOST: host,
      DATABASE_PORT: String(port),
      DATABASE_NAME: schema.name,
      DATABASE_USER: user,
      DATABASE_PASSWORD: password,
      REGISTRY_URL: stack.registryUrl,
      HTTP_PORT: '0',
    };
    await runToEnd(migrate, env);
    await fill(schema);
    // The log goes where it would go in production: into a pipe that somebody reads.
    const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(child, 'exit');
    const { port: httpPort } = await waitForLine(child.stdout, 'http.listening');
    await waitForReady(`http://127.0.0.1:${httpPort}/readyz`);
    return {
      name,
      url: `http://127.0.0.1:${httpPort}`,
      pid: child.pid ?? 0,
      schema,
      async stop() {
        child.kill('SIGTERM');
        await ended;
        await schema.drop();
      },
    };
  } catch (error) {
    await schema.drop();
    throw error;
  }
}

async function runToEnd(file: string, env: NodeJS.ProcessEnv): Promise<void> {
  const [code] = await once(spawn(process.execPath, [file], { env, stdio: ['ignore', 'ignore', 'inherit'] }), 'exit');
  if (code !== 0) throw new Error(`${file} ended with ${String(code)}`);
}

async function waitForLine(output: NodeJS.ReadableStream, event: string): Promise<{ port: number }> {
  const found = Promise.withResolvers<{ port: number }>();
  const lines = createInterface({ input: output });
  let isFound = false;
  lines.on('line', (line) => {
    // Read on, unparsed: a full pipe would stop the service.
    if (isFound || !line.includes(`"${event}"`)) return;
    isFound = true;
    found.resolve(JSON.parse(line));
  });
  lines.on('close', () => found.reject(new Error(`the service ended before ${event}`)));
  return await found.promise;
}

async function waitForReady(url: string): Promise<void> {
  for (const end = Date.now() + 30_000; ;) {
    const answer = await fetch(url);
    await answer.body?.cancel();
    if (answer.ok) return;
    if (Date.now() > end) throw new Error(`${url} still answers ${answer.status}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
