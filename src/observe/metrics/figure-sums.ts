// Rows of several tables put together by their labels.
import type { FigureRow, FigureTable } from './figure-table.ts';

interface Sum extends FigureRow {
  readonly values: Float64Array;
}

export class FigureSums {
  readonly #rows = new Map<string, Sum>();

  get rows(): Iterable<FigureRow> {
    return this.#rows.values();
  }

  /** Number by number the sum of rows with the same labels. */
  add(table: FigureTable): void {
    this.#merge(table, (a, b) => a + b);
  }

  /** Likewise the largest. */
  addLargest(table: FigureTable): void {
    this.#merge(table, Math.max);
  }

  addAll({ rows }: FigureSums): void {
    for (const { labels, values } of rows) this.add({ labels: [labels], values: Float64Array.from(values) });
  }

  /** Forgets the others. */
  keep(fits: (labels: readonly string[]) => boolean): void {
    for (const [key, { labels }] of this.#rows) if (!fits(labels)) this.#rows.delete(key);
  }

  #merge({ labels, values }: FigureTable, merge: (a: number, b: number) => number): void {
    const width = labels.length === 0 ? 0 : values.length / labels.length;
    for (let i = 0; i < labels.length; i++) {
      const key = labels[i]!.join('\n');
      const start = i * width;
      const known = this.#rows.get(key);
      if (known === undefined) this.#rows.set(key, { labels: labels[i]!, values: values.slice(start, start + width) });
      else for (let j = 0; j < width; j++) known.values[j] = merge(known.values[j]!, values[start + j]!);
    }
  }
}
