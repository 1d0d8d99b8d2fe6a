// Metrics as text, in the forms that Prometheus reads. prom-client writes it, a piece at a time with other work between: ten
// thousand sites hold up no request.
import { setImmediate } from 'node:timers/promises';
import { Registry, type RegistryContentType } from 'prom-client';
import type { Family, Series } from './family.ts';
import type { MetricsSums } from './metrics-sums.ts';
import { type CertificateFigures, PRIMARY_FAMILIES, type PrimaryFigures } from './primary-families.ts';
import { WORKER_FAMILIES } from './worker-families.ts';

export type MetricsFormat = 'prometheus' | 'openmetrics';

/** As the field Content-Type has it. */
export const CONTENT_TYPES: Readonly<Record<MetricsFormat, RegistryContentType>> = {
  prometheus: Registry.PROMETHEUS_CONTENT_TYPE,
  openmetrics: Registry.OPENMETRICS_CONTENT_TYPE,
};

/** Lines written before others may work; about a millisecond. */
const PIECE = 500;
/** Certificates read at once; likewise. */
const READ_AT_ONCE = 32;

export async function* exposition(
  workers: MetricsSums,
  primary: PrimaryFigures,
  format: MetricsFormat = 'prometheus',
): AsyncGenerator<string> {
  const certificates = await gathered(primary.certificates);
  for (const family of PRIMARY_FAMILIES) yield* piecesOf(family, { ...primary, certificates }, format);
  for (const family of WORKER_FAMILIES) yield* piecesOf(family, workers, format);
  if (format === 'openmetrics') yield '# EOF\n';
}

/** Reads them with other work between: entries may come and go meanwhile. */
async function gathered(certificates: Iterable<CertificateFigures>): Promise<readonly CertificateFigures[]> {
  const all: CertificateFigures[] = [];
  for (const certificate of certificates) {
    all.push(certificate);
    if (all.length % READ_AT_ONCE === 0) await setImmediate();
  }
  return all;
}

/** One without series is left out. */
async function* piecesOf<T>(family: Family<T>, from: T, format: MetricsFormat): AsyncGenerator<string> {
  const writer = new Writer(family, format);
  let piece: Series[] = [];
  for (const series of family.series(from)) {
    piece.push(series);
    if (piece.length < PIECE) continue;
    yield await writer.write(piece);
    piece = [];
    await setImmediate();
  }
  if (piece.length > 0) yield await writer.write(piece);
}

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly values: readonly object[];
}

/** What a registry writes of a metric; its declaration knows the metrics of prom-client only. */
interface MetricWriter {
  getMetricsAsString(metric: { get(): Promise<Metric> }): Promise<string>;
}

class Writer {
  readonly #family: Pick<Family<never>, 'name' | 'help' | 'type'>;
  readonly #registry: MetricWriter;
  #begun = false;

  constructor({ name, help, type }: Pick<Family<never>, 'name' | 'help' | 'type'>, format: MetricsFormat) {
    // In OpenMetrics a counter has its name without the suffix, and each series with it.
    const base = format === 'openmetrics' && type === 'counter' ? name.replace(/_total$/, '') : name;
    this.#family = { name: base, help, type };
    const registry = new Registry<RegistryContentType>();
    registry.setContentType(CONTENT_TYPES[format]);
    this.#registry = registry as Registry<RegistryContentType> & MetricWriter;
  }

  async write(piece: readonly Series[]): Promise<string> {
    const { name } = this.#family;
    const values = piece.map(({ suffix, labels, bound, value }) => ({
      ...(suffix === undefined ? {} : { metricName: name + suffix }),
      labels: bound === undefined ? {} : { le: bound },
      sharedLabels: labels,
      value,
    }));
    const text = await this.#registry.getMetricsAsString({ get: async () => ({ ...this.#family, values }) });
    const isFirst = !this.#begun;
    this.#begun = true;
    return `${isFirst ? text : withoutHead(text)}\n`;
  }
}

/** Without the lines HELP and TYPE. */
function withoutHead(text: string): string {
  return text.slice(text.indexOf('\n', text.indexOf('\n') + 1) + 1);
}
