import { Command } from 'commander';

/** A program whose commands all know `--instance`, `--consumer` and `--json`, and whose usage errors are thrown. */
export function createProgram(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option('--instance <name>', 'the local stack to ask where the environment names no addresses', 'main')
    .option('--consumer <name>', 'catalog, or <group>/<topic>/<aggregate type>', 'catalog')
    .option('--json', 'JSON for programs, one document a line')
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .addHelpText(
      'after',
      '\nEnvironment: DATABASE_HOST, _PORT, _NAME, _USER, _PASSWORD, KAFKA_BROKERS, REGISTRY_URL;' +
        '\nKAFKA_USER, KAFKA_PASSWORD, KAFKA_CA_FILE where Kafka asks for a login.' +
        '\nSERVER_DEADLINE_MS (60000): how long a server may say nothing before the command ends.' +
        '\nExit code: 0 done, 1 failed or not possible as things are, 2 the command was given wrongly.',
    );
}
