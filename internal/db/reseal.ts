import { SealBroken, type SealedBox } from '../secrets/sealed-box.ts';
import { SEALED_COLUMNS, type SealedColumn, sealContext } from '../secrets/sealed-columns.ts';
import { Prisma, type PrismaClient } from './database.ts';

export interface ResealedColumn {
  readonly column: SealedColumn;
  /** Sealed anew with the present key. */
  readonly done: number;
  /** Opened by none of the keys, and left as they are: their rows. */
  readonly broken: readonly string[];
  /** Written meanwhile with another key than the present one: somebody still seals with it. */
  readonly left: number;
}

export interface ResealOptions {
  readonly batch?: number;
  /** After each batch: how many of that column are done. */
  readonly onProgress?: (column: SealedColumn, done: number) => void;
}

/**
 * Seals with the present key what was sealed with one of before, column by column, while everybody works on: a few rows
 * at a time, and each is written only if it is still what was read. Broken off, the next run goes on where it was, for
 * the key id in each value tells what is left; the canary comes last. Run once more, it does nothing.
 */
export async function resealAll(
  prisma: PrismaClient,
  box: SealedBox,
  options: ResealOptions = {},
): Promise<ResealedColumn[]> {
  const columns: ResealedColumn[] = [];
  for (const column of Object.keys(SEALED_COLUMNS) as SealedColumn[]) {
    // While anything is left, the canary keeps its key: a start without the old one is refused.
    if (column === 'instance.key_canary' && columns.some(({ left }) => left > 0)) continue;
    columns.push(await resealColumn(prisma, box, column, options));
  }
  return columns;
}

async function resealColumn(
  prisma: PrismaClient,
  box: SealedBox,
  column: SealedColumn,
  { batch = 100, onProgress = () => undefined }: ResealOptions,
): Promise<ResealedColumn> {
  const place = placeOf(column);
  const broken: string[] = [];
  let done = 0;
  let last = place.names.map(() => '');
  for (;;) {
    const rows = await readOld(prisma, box, place, { after: last, limit: batch });
    for (const { row, value } of rows) {
      const anew = resealed(box, value, place.contextOf(row));
      if (anew === null) broken.push(row.join(' '));
      else done += await replace(prisma, place, { row, value, anew });
      last = row;
    }
    if (rows.length === 0) break;
    onProgress(column, done);
  }
  return { column, done, broken, left: (await countOld(prisma, box, place)) - broken.length };
}

interface Place {
  readonly names: readonly string[];
  readonly table: Prisma.Sql;
  readonly field: Prisma.Sql;
  /** What names a row, as a list for SQL. */
  readonly row: Prisma.Sql;
  contextOf(row: readonly string[]): string;
}

/** Only words of our own list become SQL. */
function placeOf(column: SealedColumn): Place {
  const [table = '', field = ''] = column.split('.');
  const names: readonly string[] = SEALED_COLUMNS[column];
  return {
    names,
    table: Prisma.raw(table),
    field: Prisma.raw(field),
    row: Prisma.raw(names.join(', ')),
    contextOf: (row) =>
      (sealContext as (of: SealedColumn, ...values: readonly string[]) => string)(column, ...row),
  };
}

/** Null: none of the keys opens it. */
function resealed(box: SealedBox, value: Uint8Array, context: string): Uint8Array<ArrayBuffer> | null {
  try {
    return box.seal(box.open(value, context), context);
  } catch (error) {
    if (error instanceof SealBroken) return null;
    throw error;
  }
}

const hasOtherKey = (box: SealedBox, { field }: Place) =>
  Prisma.sql`${field} IS NOT NULL AND substring(${field} FROM 1 FOR ${box.header.length}::int) <> ${box.header}`;

function readOld(
  prisma: PrismaClient,
  box: SealedBox,
  place: Place,
  { after, limit }: { after: readonly string[]; limit: number },
): Promise<{ row: string[]; value: Uint8Array }[]> {
  return prisma.$queryRaw`
    SELECT ARRAY[${place.row}]::text[] AS "row", ${place.field} AS value
      FROM ${place.table}
     WHERE (${place.row}) > (${Prisma.join(after)}) AND ${hasOtherKey(box, place)}
     ORDER BY ${place.row} LIMIT ${limit}`;
}

async function countOld(prisma: PrismaClient, box: SealedBox, place: Place): Promise<number> {
  const [row] = await prisma.$queryRaw<{ count: number }[]>`
    SELECT count(*)::int AS count FROM ${place.table} WHERE ${hasOtherKey(box, place)}`;
  return row?.count ?? 0;
}

/** Whoever wrote it meanwhile has sealed it anew already. */
function replace(
  prisma: PrismaClient,
  { table, field, row: names }: Place,
  { row, value, anew }: { row: readonly string[]; value: Uint8Array; anew: Uint8Array },
): Promise<number> {
  return prisma.$executeRaw`
    UPDATE ${table} SET ${field} = ${anew} WHERE (${names}) = (${Prisma.join(row)}) AND ${field} = ${value}`;
}
