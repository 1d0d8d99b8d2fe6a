// The metrics of what the one process that looks after the others knows: build, configuration, workers, certificates. Names and
// labels are a promise; docs/metrics.md tells them to people.
import type { Family, Series } from './family.ts';

/** Times in milliseconds since the epoch. */
export interface PrimaryFigures {
  /** Of Perantara: `0.1.0`. */
  readonly version: string;
  /** Of Node: `v26.1.0`. */
  readonly node: string;
  readonly startedAt: number;
  readonly config: { readonly generation: number; readonly loadedAt: number; readonly sites: number };
  readonly reloads: ReloadFigures;
  readonly workers: { readonly running: number; readonly restarts: number };
  /** Read once, piece by piece. */
  readonly certificates: Iterable<CertificateFigures>;
}

export interface ReloadFigures {
  readonly accepted: number;
  readonly refused: number;
  /** null: there was none. */
  readonly last: { readonly at: number; readonly accepted: boolean } | null;
}

/** As far as metrics tell of them: see certs/events/gauges.ts. */
export interface CertificateFigures {
  /** From the configuration. */
  readonly name: string;
  readonly notBefore: number | null;
  readonly notAfter: number | null;
  readonly lastSuccessAt: number | null;
  /** In a row. */
  readonly failures: number;
  readonly lastError: { readonly at: number; readonly class: string } | null;
  /** null: nobody renews it but the operator. */
  readonly nextTurnAt: number | null;
  readonly waitingFor: string | null;
}

type PrimaryFamily = Family<PrimaryFigures>;

const CERTIFICATE = ['certificate'];

function single(name: string, type: 'counter' | 'gauge', help: string, value: (from: PrimaryFigures) => number | null) {
  return { name, type, help, labels: [], series: (from: PrimaryFigures) => unlessNull({}, value(from)) };
}

/** `value`: null: no series. */
function perCertificate(name: string, help: string, value: (of: CertificateFigures) => number | null): PrimaryFamily {
  return {
    name: `perantara_certificate_${name}`,
    type: 'gauge',
    help,
    labels: CERTIFICATE,
    *series({ certificates }) {
      for (const each of certificates) yield* unlessNull({ certificate: each.name }, value(each));
    },
  };
}

export const PRIMARY_FAMILIES: readonly PrimaryFamily[] = [
  {
    name: 'perantara_build_info',
    type: 'gauge',
    help: 'Always 1: which Perantara and which Node.',
    labels: ['version', 'node'],
    series: ({ version, node }) => [{ labels: { version, node }, value: 1 }],
  },
  single('process_start_time_seconds', 'gauge', 'When the process was started.', ({ startedAt }) => seconds(startedAt)),
  single('perantara_config_generation', 'gauge', 'Counts the configurations that have been in force.', ({ config }) => {
    return config.generation;
  }),
  single('perantara_config_loaded_timestamp_seconds', 'gauge', 'When the one in force was loaded.', ({ config }) => {
    return seconds(config.loadedAt);
  }),
  single('perantara_config_sites', 'gauge', 'Sites of the configuration in force.', ({ config }) => config.sites),
  {
    name: 'perantara_reloads_total',
    type: 'counter',
    help: 'Attempts to put another configuration in force.',
    labels: ['result'],
    series: ({ reloads: { accepted, refused } }) => [
      { labels: { result: 'accepted' }, value: accepted },
      { labels: { result: 'refused' }, value: refused },
    ],
  },
  single(
    'perantara_last_reload_successful',
    'gauge',
    'Whether the last attempt was accepted; 1 before the first.',
    ({ reloads }) => Number(reloads.last?.accepted ?? true),
  ),
  single('perantara_last_reload_timestamp_seconds', 'gauge', 'When the last attempt was over.', ({ reloads }) =>
    seconds(reloads.last?.at ?? null),
  ),
  single('perantara_workers', 'gauge', 'Workers that answer.', ({ workers }) => workers.running),
  single(
    'perantara_worker_restarts_total',
    'counter',
    'Workers that ended by themselves and were replaced.',
    (from) => {
      return from.workers.restarts;
    },
  ),
  perCertificate('expiry_timestamp_seconds', 'When the certificate that is served expires.', ({ notAfter }) => {
    return seconds(notAfter);
  }),
  perCertificate('not_before_timestamp_seconds', 'When its validity begins.', ({ notBefore }) => seconds(notBefore)),
  perCertificate('present', 'Whether there is one at all.', ({ notAfter }) => Number(notAfter !== null)),
  perCertificate('failures', 'Attempts to obtain it that failed in a row.', ({ failures }) => failures),
  perCertificate('last_success_timestamp_seconds', 'When one was obtained last.', ({ lastSuccessAt }) => {
    return seconds(lastSuccessAt);
  }),
  {
    name: 'perantara_certificate_last_error_timestamp_seconds',
    type: 'gauge',
    help: 'When the last attempt failed, and how; gone when one has succeeded.',
    labels: [...CERTIFICATE, 'class'],
    *series({ certificates }) {
      for (const { name, lastError } of certificates)
        if (lastError !== null) yield* unlessNull({ certificate: name, class: lastError.class }, seconds(lastError.at));
    },
  },
  perCertificate('next_turn_timestamp_seconds', 'When it is looked after next.', ({ nextTurnAt }) => {
    return seconds(nextTurnAt);
  }),
  perCertificate('waiting', 'Whether its order waits for a limit of the authority.', ({ waitingFor }) => {
    return Number(waitingFor !== null);
  }),
];

function unlessNull(labels: Series['labels'], value: number | null): readonly Series[] {
  return value === null ? [] : [{ labels, value }];
}

function seconds(ms: number | null): number | null {
  return ms === null ? null : ms / 1_000;
}
