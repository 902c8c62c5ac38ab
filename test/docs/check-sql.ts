import { listFiles, readText } from './read-documents.ts';

/** The databases whose tables migrations make. */
const ours = /\b(order_service|catalog_service|comment_service)\.(\w+)/g;

const folders: Readonly<Record<string, readonly string[]>> = {
  order_service: ['services/order-service/src', 'packages/outbox/src'],
  catalog_service: ['services/catalog-service/src', 'packages/inbox/src'],
  comment_service: ['services/comment-service/src', 'packages/inbox/src'],
};

/** All that the statements of the migrations of a database say of a table; empty without one. */
function textOfTable(database: string, table: string): string {
  const files = listFiles(...(folders[database] ?? []).map((folder) => `${folder}/*.ts`));
  return files
    .filter((file) => !file.endsWith('.test.ts'))
    .flatMap((file) => {
      const text = readText(file).replaceAll(
        /\$\{(\w+)\}/g,
        (whole, name) =>
          new RegExp(`const ${name} = \`([^\`]*)\``).exec(readText(file))?.[1] ?? whole,
      );
      return [
        ...text.matchAll(new RegExp(`CREATE TABLE IF NOT EXISTS ${table} \\([^\`]*\``, 'g')),
        ...text.matchAll(new RegExp(`addColumn\\(\\s*\\w+,\\s*'${table}',\\s*'\\w+'`, 'g')),
      ].map(([statement]) => statement);
    })
    .join('\n');
}

/** Words of SQL and functions of MySQL that the documents use: no columns. */
const keywords = new Set(
  'all and as by delete from in is left like limit not null offset on or order select set union update where'.split(
    ' ',
  ),
);

/** Statements about the server, which name no table of ours. */
const ofServer =
  /^(SELECT @@|SHOW |SET GLOBAL |FLUSH |PURGE BINARY LOGS |ALTER SCHEMA |SELECT \* FROM information_schema\.)/;

export const isSql = (text: string): boolean =>
  /^(SELECT|UPDATE|DELETE FROM|SET GLOBAL|SHOW|FLUSH|PURGE BINARY)\s[^.]/.test(text);

/** What is wrong with SQL of the documents: a table or a column that no migration makes. */
export function problemsOfSql(text: string): string[] {
  return text
    .replaceAll(/--.*$/gm, '')
    .split(';')
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '' && !ofServer.test(statement))
    .flatMap((statement) => statement.split(/\bUNION ALL\b/))
    .flatMap(problemsOfStatement);
}

function problemsOfStatement(statement: string): string[] {
  const bare = statement.replaceAll(/'[^']*'/g, '').replaceAll(/<[^>]*>/g, '');
  const tables = [...bare.matchAll(ours)];
  if (tables.length === 0) return [`names no table of ours: ${statement.trim()}`];
  const texts = tables.map(([name, database = '', table = '']) => ({
    name,
    text: textOfTable(database, table),
  }));
  const missing = texts.filter(({ text }) => text === '').map(({ name }) => `no table ${name}`);
  const aliases = [...bare.matchAll(/\bAS (\w+)/g)].map(([, alias = '']) => alias);
  const columns = [...bare.replaceAll(ours, '').matchAll(/\b[a-zA-Z_]\w*/g)].map(([word]) => word);
  const strange = columns.filter(
    (word) =>
      !keywords.has(word.toLowerCase()) &&
      !aliases.includes(word) &&
      !texts.some(({ text }) => new RegExp(`\\b${word}\\b`).test(text)),
  );
  return [...missing, ...strange.map((word) => `no column ${word}: ${statement.trim()}`)];
}
