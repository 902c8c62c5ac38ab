import { readStack, startCommand, type Ports, type Secrets, type StackState } from '@board/stack';

export interface LocalStack {
  readonly ports: Ports;
  readonly secrets: Secrets;
  readonly state: StackState;
}

/** The local stack that fills in what the environment does not name; undefined when the environment names the servers. */
export function localStack(env: NodeJS.ProcessEnv, instance: string): LocalStack | undefined {
  const stack = readStack(instance);
  if (stack === undefined && env['DATABASE_HOST'] === undefined)
    throw new Error(
      `The stack "${instance}" does not run, and the environment names no other servers: start it with ` +
        `"${startCommand({ name: instance })}", or set DATABASE_HOST and the variables that --help lists.`,
    );
  return stack;
}

/** Where the servers of the local stack are, under the names that the environment has for them. */
export function serverValues({ ports }: LocalStack): NodeJS.ProcessEnv {
  return {
    DATABASE_HOST: '127.0.0.1',
    DATABASE_PORT: String(ports.mysql),
    KAFKA_BROKERS: ports.brokers.map((port) => `127.0.0.1:${port}`).join(','),
  };
}
