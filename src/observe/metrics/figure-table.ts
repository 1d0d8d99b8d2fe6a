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

/** Rows may have the same labels; whoever reads them adds them up. */
export function tableOf(rows: readonly FigureRow[]): FigureTable {
  if (rows.length === 0) return EMPTY_TABLE;
  const width = rows[0]!.values.length;
  const values = new Float64Array(rows.length * width);
  for (let i = 0; i < rows.length; i++) values.set(rows[i]!.values, i * width);
  return { labels: rows.map(({ labels }) => labels), values };
}
