// The metrics of a server in this process, as they are scraped and parsed.
import { exposition, type MetricsFormat } from '../../src/observe/metrics/exposition.ts';
import type { MetricsSums } from '../../src/observe/metrics/metrics-sums.ts';
import type { PrimaryFigures } from '../../src/observe/metrics/primary-families.ts';
import type { Server } from '../../src/server/server.ts';
import { type MetricFamily, parsePrometheus } from './prometheus-text.ts';

const PATIENCE_MS = 10_000;

export const PRIMARY: PrimaryFigures = {
  ...{ version: '9.8.7', node: 'v26.0.0', startedAt: 1_000 },
  config: { generation: 1, loadedAt: 1_000, sites: 1 },
  reloads: { accepted: 0, refused: 0, last: null },
  workers: { running: 1, restarts: 0 },
  certificates: [],
};

export class Scrape {
  readonly families: ReadonlyMap<string, MetricFamily>;

  constructor(text: string) {
    this.families = parsePrometheus(text);
  }

  /** Of the samples of `name` (a histogram's with its suffix) that have these labels and any others, together. */
  sum(name: string, labels: Readonly<Record<string, string>> = {}): number {
    const family = this.families.get(name) ?? this.families.get(name.replace(/_(bucket|sum|count)$/, ''));
    return (family?.samples ?? [])
      .filter(
        (sample) =>
          sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
      )
      .reduce((sum, { value }) => sum + value, 0);
  }

  /** `label values joined by space` → value, of the samples with these labels, without those labels. */
  table(name: string, labels: Readonly<Record<string, string>> = {}): Readonly<Record<string, number>> {
    const samples = this.families.get(name)?.samples ?? [];
    const fitting = samples.filter((sample) =>
      Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
    );
    return Object.fromEntries(
      fitting.map((sample) => [
        Object.entries(sample.labels)
          .flatMap(([key, value]) => (Object.hasOwn(labels, key) ? [] : [value]))
          .join(' '),
        sample.value,
      ]),
    );
  }

  /** Of all families. */
  get series(): number {
    return [...this.families.values()].reduce((sum, { samples }) => sum + samples.length, 0);
  }
}

export async function textOf(
  workers: MetricsSums,
  primary: PrimaryFigures = PRIMARY,
  format?: MetricsFormat,
): Promise<string> {
  let text = '';
  for await (const piece of exposition(workers, primary, format)) text += piece;
  return text;
}

export async function scrape(server: Server): Promise<Scrape> {
  const { together } = await server.metrics();
  return new Scrape(await textOf(together, { ...PRIMARY, certificates: server.certificateGauges() }));
}

/** Scrapes until `fits` holds: what is over for a client may not be for the server. */
export async function scrapeUntil(server: Server, fits: (scraped: Scrape) => boolean): Promise<Scrape> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const scraped = await scrape(server);
    if (fits(scraped)) return scraped;
    if (Date.now() > end) {
      const gauges = [...scraped.families.values()].filter(
        ({ type, name }) => type !== 'histogram' && !/_(certificate|config|build)_/.test(name),
      );
      throw new Error(
        `waited in vain for ${fits}: ${JSON.stringify(gauges.flatMap(({ samples }) => samples.map(({ name, labels, value }) => [name, ...Object.values(labels), value].join(' ')))).slice(0, 5_000)}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
