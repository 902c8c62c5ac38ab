import { setTimeout as delay } from 'node:timers/promises';
import { registerConnector } from '@board/relay';
import { printable } from '@board/service';
import type { ProvisionConfig } from './config.ts';
import { createUsers, grantTables, serviceDatabases } from './mysql-users.ts';
import { registerSchemas } from './schemas.ts';
import { createTopics } from './topics.ts';

/** What a step needs from its runner. */
export interface ProvisionTools {
  readonly say: (line: string) => void;
  /** Runs a file of this checkout in a process of its own, to its end. */
  readonly runScript: (
    name: string,
    file: string,
    env: Readonly<Record<string, string>>,
  ) => Promise<void>;
}

/**
 * A piece of what must be there before the services can work; each may be run again at any time.
 */
export interface ProvisionStep {
  readonly name: string;
  /**
   * Servers that must answer (`mysql`, `kafka`, `registry`, `connect`), and steps that must be
   * done.
   */
  readonly needs: readonly string[];
  /** Returns one line for each thing that it changed. */
  readonly run: (config: ProvisionConfig, tools: ProvisionTools) => Promise<readonly string[]>;
}

/**
 * In order; each step needs the ones that it names. The native start runs them as soon as they can,
 * the containers and Kubernetes one after the other (`main.ts`).
 */
export const provisionSteps: readonly ProvisionStep[] = [
  {
    // The registry too logs in with one of them.
    name: 'users',
    needs: ['mysql'],
    run: async ({ admin, passwords, userHost }) => {
      await createUsers(admin, passwords, userHost);
      return [];
    },
  },
  {
    name: 'migrations',
    needs: ['users'],
    run: async (config, tools) => {
      await Promise.all(serviceDatabases.map((database) => migrate(database, config, tools)));
      return [];
    },
  },
  {
    name: 'grants',
    needs: ['migrations'],
    run: async ({ admin, userHost }) => {
      await grantTables(admin, userHost);
      return [];
    },
  },
  { name: 'topics', needs: ['kafka'], run: ({ brokers }) => createTopics(brokers) },
  { name: 'schemas', needs: ['registry'], run: ({ registryUrl }) => registerSchemas(registryUrl) },
  {
    name: 'connector',
    needs: ['connect', 'topics', 'grants'],
    run: async ({ connectUrl, brokers }, { say }) => {
      // One that the keeper has stopped stays so, and its progress line says it: its re-drive needs
      // the rest of the stack.
      await registerConnector({ connectUrl, brokers, onProgress: say });
      return [];
    },
  },
];

/** A service's folder and its database have one name. */
async function migrate(
  database: string,
  { admin, passwords }: ProvisionConfig,
  { runScript }: ProvisionTools,
): Promise<void> {
  const service = database.replaceAll('_', '-');
  await runScript(`migrate-${service}`, `services/${service}/src/migrate.ts`, {
    INSTANCE: `${service}-migrations`,
    DATABASE_HOST: admin.host,
    DATABASE_PORT: String(admin.port),
    DATABASE_NAME: database,
    DATABASE_USER: 'migrations',
    DATABASE_PASSWORD: passwords.migrations,
  });
}

const maxAttempts = 4;

/**
 * Runs a step, again when it fails: each may be repeated, and servers that have just started (a
 * topic whose leaders are not known everywhere yet) refuse now what they do a second later.
 */
export async function runStep(
  step: ProvisionStep,
  config: ProvisionConfig,
  tools: ProvisionTools,
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      for (const line of await step.run(config, tools)) tools.say(line);
      tools.say(`${step.name} done`);
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (attempt === maxAttempts) throw error;
      tools.say(
        `${step.name}: once more, since ${printable(error instanceof Error ? error.message : String(error))}`,
      );
      await delay(500 * attempt, undefined, { signal });
    }
  }
}
