import type { Logger } from 'typeorm';

const nothing = (): void => undefined;

/** TypeORM prints slow statements with their parameters, whatever `logging` says; parameters are other people's texts. */
export const silentLogger: Logger = {
  logQuery: nothing,
  logQueryError: nothing,
  logQuerySlow: nothing,
  logSchemaBuild: nothing,
  logMigration: nothing,
  log: nothing,
};
