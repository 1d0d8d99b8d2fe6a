// Numbers by labels, as they are told from one process to another: one row for each set of labels, all rows of one length.
// Pure.

export interface FigureTable {
  /** By row. */
  readonly labels: readonly (readonly string[])[];
  /** Row by row, each `values.length / labels.length` numbers. */
  readonly values: Float64Array;
}

export const EMPTY_TABLE: FigureTable = { labels: [], values: new Float64Array(0) };

export interface FigureRow {
  readonly labels: readonly string[];
  readonly values: ArrayLike<number>;
}

/** Rows of the same labels become one. */
export function tableOf(rows: readonly FigureRow[]): FigureTable {
  if (rows.length === 0) return EMPTY_TABLE;
  const width = rows[0]!.values.length;
  const places = new Map<string, number>();
  const labels: (readonly string[])[] = [];
  const values = new Float64Array(rows.length * width);
  for (const row of rows) {
    const key = row.labels.join('\n');
    const place = places.get(key);
    if (place === undefined) {
      places.set(key, labels.length);
      values.set(row.values, labels.length * width);
      labels.push(row.labels);
    } else for (let i = 0; i < width; i++) values[place * width + i]! += row.values[i]!;
  }
  return { labels, values: labels.length === rows.length ? values : values.slice(0, labels.length * width) };
}

export function* rowsOf({ labels, values }: FigureTable): Generator<FigureRow> {
  const width = labels.length === 0 ? 0 : values.length / labels.length;
  for (let i = 0; i < labels.length; i++)
    yield { labels: labels[i]!, values: values.subarray(i * width, (i + 1) * width) };
}

export function sumOf(tables: readonly FigureTable[]): FigureTable {
  const full = tables.filter(({ labels }) => labels.length > 0);
  if (full.length <= 1) return full[0] ?? EMPTY_TABLE;
  return tableOf(full.flatMap((table) => [...rowsOf(table)]));
}

/** Number by number the largest of rows with the same labels. */
export function largestOf(tables: readonly FigureTable[]): FigureTable {
  const largest = new Map<string, FigureRow>();
  for (const table of tables)
    for (const row of rowsOf(table)) {
      const key = row.labels.join('\n');
      const known = largest.get(key);
      const values = Float64Array.from(row.values, (value, i) => Math.max(value, known?.values[i] ?? value));
      largest.set(key, { labels: row.labels, values });
    }
  return tableOf([...largest.values()]);
}

export function rowsThat(table: FigureTable, fits: (labels: readonly string[]) => boolean): FigureTable {
  if (table.labels.every((labels) => fits(labels))) return table;
  return tableOf([...rowsOf(table)].filter(({ labels }) => fits(labels)));
}
