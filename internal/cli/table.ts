import { cutToWidth, onOneLine, textWidth } from './text-width.ts';

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string;
  /** Puts colour around a finished cell, which must not change its width. */
  readonly paint?: (cell: string, row: Row) => string;
  /** Ids and states are of no use in halves: when the terminal is narrow, the other columns give way. */
  readonly isWhole?: boolean;
}

const GAP = '  ';
const NARROWEST = 6;

/** Rows under their titles, in columns. `width`: of the terminal, which no line exceeds; null: as wide as it gets. */
export function formatTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  width: number | null,
): string[] {
  const cells = rows.map((row) => columns.map((column) => onOneLine(column.value(row))));
  const wanted = columns.map((column, at) =>
    Math.max(textWidth(column.title), ...cells.map((line) => textWidth(line[at] ?? ''))),
  );
  const widths = width === null ? wanted : shrinkToFit(wanted, columns, width);
  const shown = columns.map((_column, at) => at).filter((at) => (widths[at] ?? 0) > 0);
  const line = (texts: readonly string[], paint: (cell: string, at: number) => string) =>
    shown
      .map((at, place) => {
        const cell = cutToWidth(texts[at] ?? '', widths[at] ?? 0);
        const padding = place === shown.length - 1 ? 0 : (widths[at] ?? 0) - textWidth(cell);
        return paint(cell, at) + ' '.repeat(padding);
      })
      .join(GAP)
      .trimEnd();
  return [
    line(
      columns.map(({ title }) => title),
      (cell) => cell,
    ),
    ...rows.map((row, index) =>
      line(cells[index] ?? [], (cell, at) => columns[at]?.paint?.(cell, row) ?? cell),
    ),
  ];
}

/** Names and their values below each other; what has no value is left out. */
export function formatFields(fields: readonly (readonly [string, string | null])[]): string[] {
  const given = fields.flatMap(([name, value]) =>
    value === null || value === '' ? [] : [[name, value] as const],
  );
  const width = Math.max(0, ...given.map(([name]) => name.length));
  return given.map(([name, value]) => `${name.padEnd(width)}${GAP}${value}`);
}

/** The widest column that may shrink does, until all fit; then the last ones are left out. */
function shrinkToFit<Row>(
  wanted: readonly number[],
  columns: readonly Column<Row>[],
  width: number,
): number[] {
  const widths = [...wanted];
  const total = () => {
    const shown = widths.filter((columnWidth) => columnWidth > 0);
    return shown.reduce((sum, columnWidth) => sum + columnWidth, GAP.length * (shown.length - 1));
  };
  while (total() > width) {
    const mayShrink = widths.map((columnWidth, at) =>
      columns[at]?.isWhole || columnWidth <= NARROWEST ? 0 : columnWidth,
    );
    const widest = Math.max(...mayShrink);
    if (widest > 0) widths[mayShrink.indexOf(widest)] = widest - 1;
    else if (widths.filter((columnWidth) => columnWidth > 0).length > 1) {
      widths[widths.findLastIndex((columnWidth) => columnWidth > 0)] = 0;
    } else return widths.map((columnWidth) => Math.min(columnWidth, width));
  }
  return widths;
}
