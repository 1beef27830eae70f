import { decodeCursor, encodeCursor } from './schemas.ts';

/** A row's place in a list that is ordered by `created_at` and, within the same instant, by id. */
export interface Place {
  readonly createdAt: Date;
  readonly id: string;
}

/** After which row the page begins; null: it is the first one. @throws AppError invalid_input */
export function placeOfCursor(cursor: string | undefined): Place | null {
  if (cursor === undefined) return null;
  const [createdAt = '', id = ''] = decodeCursor(cursor, [
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
    /^[a-z2-7]{10}$/,
  ]);
  return { createdAt: new Date(createdAt), id };
}

/** One page out of rows of which one more than `limit` was asked for: that one tells whether there is another page. */
export function pageByAge<Row extends Place, View>(
  rows: readonly Row[],
  limit: number,
  view: (row: Row) => View,
): { items: View[]; next_cursor: string | null } {
  const page = rows.slice(0, limit);
  const last = rows.length > limit ? page.at(-1) : undefined;
  return {
    items: page.map((row) => view(row)),
    next_cursor: last ? encodeCursor([last.createdAt.toISOString(), last.id]) : null,
  };
}

/** What Prisma asks for: newest first, after that place. */
export function newestFirst(after: Place | null) {
  return {
    where: after
      ? { OR: [{ createdAt: { lt: after.createdAt } }, { createdAt: after.createdAt, id: { lt: after.id } }] }
      : {},
    orderBy: [{ createdAt: 'desc' as const }, { id: 'desc' as const }],
  };
}
