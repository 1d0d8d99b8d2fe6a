// The metrics of what workers do. Names and labels are a promise; docs/metrics.md tells them to people.
import { CONNECT_TIMES, SIZES, TIMES } from './buckets.ts';
import { column, type Family, histograms, labelled, type Series } from './family.ts';
import type { MetricsSums } from './metrics-sums.ts';
import { DELAY_QUANTILES } from './process-figures.ts';
import {
  DURATIONS_AT,
  HEADS_AT,
  OUTCOMES,
  REQUEST_SIZES_AT,
  RESPONSE_SIZES_AT,
  STATUS_CLASSES,
} from './route-tally.ts';

type WorkerFamily = Family<MetricsSums>;

const ROUTE = ['site', 'route'];
const TARGET = ['target'];
const LISTENER = ['listener'];

function perRoute(name: string, help: string, start: number, buckets: typeof TIMES): WorkerFamily {
  const series = histograms<MetricsSums>(({ counters }) => counters.routes, ROUTE, start, buckets);
  return { name: `perantara_${name}`, type: 'histogram', help, labels: ROUTE, series };
}

export const WORKER_FAMILIES: readonly WorkerFamily[] = [
  {
    name: 'perantara_requests_total',
    type: 'counter',
    help: 'Requests that are over.',
    labels: [...ROUTE, 'status', 'outcome'],
    series: requests,
  },
  perRoute(
    'request_duration_seconds',
    'From the whole request head to the end of the exchange; without tunnels.',
    DURATIONS_AT,
    TIMES,
  ),
  perRoute('response_head_seconds', 'From the whole request head to that of the response.', HEADS_AT, TIMES),
  perRoute('request_size_bytes', 'Content received, without framing.', REQUEST_SIZES_AT, SIZES),
  perRoute('response_size_bytes', 'Content sent, without framing.', RESPONSE_SIZES_AT, SIZES),
  {
    name: 'perantara_requests_in_flight',
    type: 'gauge',
    help: 'Requests under way, tunnels among them.',
    labels: [],
    series: column(({ gauges }) => gauges.inflight, []),
  },
  {
    name: 'perantara_connections_accepted_total',
    type: 'counter',
    help: 'Connections of clients that were accepted.',
    labels: LISTENER,
    series: column(({ counters }) => counters.accepted, LISTENER),
  },
  {
    name: 'perantara_connections_refused_total',
    type: 'counter',
    help: 'Accepted connections that were closed at once.',
    labels: [...LISTENER, 'reason'],
    series: column(({ counters }) => counters.refused, [...LISTENER, 'reason']),
  },
  {
    name: 'perantara_connections_open',
    type: 'gauge',
    help: 'Connections of clients that are open.',
    labels: LISTENER,
    series: column(({ gauges }) => gauges.open, LISTENER),
  },
  {
    name: 'perantara_tls_handshakes_total',
    type: 'counter',
    help: 'Complete TLS handshakes with clients.',
    labels: ['version', 'resumed'],
    series: column(({ counters }) => counters.handshakes, ['version', 'resumed']),
  },
  {
    name: 'perantara_tls_handshake_failures_total',
    type: 'counter',
    help: 'TLS handshakes with clients that came to nothing.',
    labels: ['reason'],
    series: column(({ counters }) => counters.handshakeFailures, ['reason']),
  },
  {
    name: 'perantara_upstream_attempts_total',
    type: 'counter',
    help: 'Requests that a target was tried for, repetitions included.',
    labels: TARGET,
    series: column(({ counters }) => counters.targets, TARGET),
  },
  {
    name: 'perantara_upstream_failures_total',
    type: 'counter',
    help: 'Attempts at a target that failed, before or within its response.',
    labels: [...TARGET, 'reason'],
    series: column(({ counters }) => counters.targetFailures, [...TARGET, 'reason']),
  },
  {
    name: 'perantara_upstream_connect_seconds',
    type: 'histogram',
    help: 'Time to connect to a target, TLS included; its count is that of connections made.',
    labels: TARGET,
    series: histograms(({ counters }) => counters.targets, TARGET, 1, CONNECT_TIMES),
  },
  {
    name: 'perantara_upstream_requests_in_flight',
    type: 'gauge',
    help: 'Requests that a target is busy with.',
    labels: TARGET,
    series: column(({ gauges }) => gauges.targets, TARGET),
  },
  {
    name: 'perantara_upstream_connections_open',
    type: 'gauge',
    help: 'Connections to a target that are open, idle ones among them.',
    labels: TARGET,
    series: column(({ gauges }) => gauges.targets, TARGET, 1),
  },
  {
    name: 'perantara_upstream_drained',
    type: 'gauge',
    help: 'Whether an operator has drained the target: it gets no new requests.',
    labels: TARGET,
    series: whether(2),
  },
  {
    name: 'perantara_upstream_failing',
    type: 'gauge',
    help: 'Whether the last request to the target came to nothing, at any worker.',
    labels: TARGET,
    series: whether(3),
  },
  {
    name: 'perantara_event_loop_delay_seconds',
    type: 'gauge',
    help: 'How late what is due is done, at the worst of all workers, lately.',
    labels: ['quantile'],
    series: delays,
  },
  {
    name: 'perantara_event_loop_active_seconds_total',
    type: 'counter',
    help: 'Time in which workers did not wait for something to do.',
    labels: [],
    series: column(({ counters }) => counters.times, [], 2),
  },
  {
    name: 'process_cpu_user_seconds_total',
    type: 'counter',
    help: 'Processor time in user mode, of all processes.',
    labels: [],
    series: column(({ counters }) => counters.times, [], 0),
  },
  {
    name: 'process_cpu_system_seconds_total',
    type: 'counter',
    help: 'Processor time in system mode, of all processes.',
    labels: [],
    series: column(({ counters }) => counters.times, [], 1),
  },
  {
    name: 'process_resident_memory_bytes',
    type: 'gauge',
    help: 'Resident memory, of all processes.',
    labels: [],
    series: column(({ gauges }) => gauges.memory, []),
  },
  {
    name: 'nodejs_heap_size_used_bytes',
    type: 'gauge',
    help: 'Memory that JavaScript uses, of all processes.',
    labels: [],
    series: column(({ gauges }) => gauges.memory, [], 1),
  },
  {
    name: 'nodejs_external_memory_bytes',
    type: 'gauge',
    help: 'Memory outside of the heap that JavaScript holds, of all processes.',
    labels: [],
    series: column(({ gauges }) => gauges.memory, [], 2),
  },
];

/** Of workers: whether any says so. */
function whether(at: number): WorkerFamily['series'] {
  const counts = column<MetricsSums>(({ gauges }) => gauges.targets, TARGET, at);
  return function* (from) {
    for (const { labels, value } of counts(from)) yield { labels, value: Math.min(1, value) };
  };
}

/** Those that there were. */
function* requests({ counters }: MetricsSums): Generator<Series> {
  for (const { labels, values } of counters.routes.rows)
    for (const [i, status] of STATUS_CLASSES.entries())
      for (const [j, outcome] of OUTCOMES.entries()) {
        const value = values[i * OUTCOMES.length + j] ?? 0;
        if (value > 0) yield { labels: { ...labelled(ROUTE, labels), status, outcome }, value };
      }
}

function* delays({ eventLoopDelays }: MetricsSums): Generator<Series> {
  for (const { values } of eventLoopDelays.rows)
    for (const [i, quantile] of DELAY_QUANTILES.entries()) yield { labels: { quantile }, value: values[i] ?? 0 };
}
