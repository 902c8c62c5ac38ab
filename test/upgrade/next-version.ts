import type { Edit } from './lay-out-version.ts';

const eventFiles = ['board-created', 'board-edited', 'board-deleted'];
const order = 'services/order-service/src';
const catalog = 'services/catalog-service/src';

/**
 * A version N+1: boards get a language.
 *
 * Both databases get a column that may be NULL, each event an optional field; nothing that N reads
 * or writes goes away.
 */
export const nextVersion: readonly Edit[] = [
  ...eventFiles.map((name) => ({
    file: `contracts/avro/${name}.avsc`,
    from: '\n  ]\n}',
    to: ',\n    { "name": "language", "type": ["null", "string"], "default": null }\n  ]\n}',
  })),
  {
    file: 'contracts/src/board.ts',
    from: 'readonly updatedAt: number;',
    to: 'readonly updatedAt: number;\n  readonly language?: string | null;',
  },

  {
    file: `${order}/domain/language-of.ts`,
    to: `/** The language of a title, as far as its characters show it. */
export function languageOf(title: string): string {
  return /[가-힣]/.test(title) ? 'ko' : 'en';
}
`,
  },
  {
    file: `${order}/application/board-commands.ts`,
    from: `import type { Violation } from '../domain/check-text.ts';`,
    to: `import type { Violation } from '../domain/check-text.ts';\nimport { languageOf } from '../domain/language-of.ts';`,
  },
  {
    file: `${order}/application/board-commands.ts`,
    from: 'updatedAt: board.updatedAt.getTime(),',
    to: 'updatedAt: board.updatedAt.getTime(),\n    language: languageOf(title),',
  },
  {
    file: `${order}/domain/board.ts`,
    from: `} from './check-text.ts';`,
    to: `} from './check-text.ts';\nimport { languageOf } from './language-of.ts';`,
  },
  {
    file: `${order}/domain/board.ts`,
    from: 'readonly updatedAt: Date;',
    to: 'readonly updatedAt: Date;\n  readonly language: string | null;',
  },
  {
    file: `${order}/domain/board.ts`,
    from: 'updatedAt: now,\n    deletedAt: null,',
    to: 'updatedAt: now,\n    deletedAt: null,\n    language: languageOf(title),',
  },
  {
    file: `${order}/domain/board.ts`,
    from: 'updatedAt: notBefore(board, now) };',
    to: 'updatedAt: notBefore(board, now), language: languageOf(title) };',
  },
  {
    file: `${order}/database/aggregate-store.ts`,
    from: `updatedAt: { name: 'updated_at', type: 'datetime', precision: 3 },`,
    to: `updatedAt: { name: 'updated_at', type: 'datetime', precision: 3 },\n    language: { type: 'varchar', length: 8, nullable: true },`,
  },
  {
    file: `${order}/database/aggregate-store.ts`,
    from: `  'deletedAt',\n]);`,
    to: `  'deletedAt',\n  'language',\n]);`,
  },
  ...addMigration(order, 'board', {
    file: 'database/migrations.ts',
    firstImport: `import type { MigrationInterface, QueryRunner } from 'typeorm';`,
    last: ',\n]',
  }),

  {
    file: `${catalog}/domain/catalog-board.ts`,
    from: 'readonly deletedAt: Date | null;',
    to: 'readonly deletedAt: Date | null;\n  readonly language: string | null;',
  },
  {
    file: `${catalog}/domain/catalog-board.ts`,
    from: 'updatedAt: new Date(data.updatedAt),',
    to: 'updatedAt: new Date(data.updatedAt),\n      language: data.language ?? null,',
  },
  {
    file: `${catalog}/database/catalog-table.ts`,
    from: 'appliedCount: {',
    to: `language: { type: 'varchar', length: 8, nullable: true },\n    appliedCount: {`,
  },
  {
    file: `${catalog}/database/catalog-table.ts`,
    from: 'deleted_at, applied_count)',
    to: 'deleted_at, language, applied_count)',
  },
  {
    file: `${catalog}/database/catalog-table.ts`,
    from: 'deleted_at = event.deleted_at,',
    to: 'deleted_at = event.deleted_at, language = event.language,',
  },
  {
    file: `${catalog}/database/catalog-table.ts`,
    from: 'deletedAt } = board',
    to: 'deletedAt, language } = board',
  },
  {
    file: `${catalog}/database/catalog-table.ts`,
    from: 'deletedAt, 1]',
    to: 'deletedAt, language, 1]',
  },
  ...addMigration(catalog, 'catalog', {
    file: 'database/migrations.ts',
    firstImport: `import type { MigrationInterface, QueryRunner } from 'typeorm';`,
    last: ',\n]',
  }),
];

/** `list` names the migrations; its imports begin with `firstImport`, and it ends with `last`. */
function addMigration(
  service: string,
  table: string,
  list: { readonly file: string; readonly firstImport: string; readonly last: string },
): readonly Edit[] {
  const name = 'AddLanguage1764900000000';
  const migration = `import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ${name} implements MigrationInterface {
  readonly name = '${name}';

  async up(runner: QueryRunner): Promise<void> {
    // INSTANT or an error: a copy of the table would hold up those who write to it.
    if (!(await runner.hasColumn('${table}', 'language')))
      await runner.query('ALTER TABLE ${table} ADD COLUMN language VARCHAR(8) NULL, ALGORITHM = INSTANT');
  }

  async down(): Promise<void> {
    throw new Error('A column that N does not know does no harm.');
  }
}
`;
  const { file, firstImport, last } = list;
  return [
    { file: `${service}/database/add-language.ts`, to: migration },
    {
      file: `${service}/${file}`,
      from: firstImport,
      to: `import { ${name} } from './add-language.ts';\n${firstImport}`,
    },
    { file: `${service}/${file}`, from: last, to: last.replace(/,?\s*\]$/, `, ${name}]`) },
  ];
}
