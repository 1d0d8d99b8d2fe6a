// A night on call: what a process tells when some of it is broken, for tests of what shows it. The same each time but for `now`.
import { STEP_MS, STEPS } from '../../src/observe/traffic/step-ring.ts';
import { type SiteTraffic, sum, type Traffic, type TrafficReport } from '../../src/observe/traffic/traffic-report.ts';
import {
  certificateStatus,
  configOf,
  type FakeAdminServices,
  fakeAdminServices,
  targetReport,
  workerReport,
} from './fake-admin-services.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const BROKEN = 'http://10.0.0.12:8080';
const REFUSED = 'cannot connect to 10.0.0.12:8080: ECONNREFUSED';

/** Requests in each step: a wave, with noise that is always the same. */
function wave(perSecond: number, seed: number): number[] {
  return Array.from({ length: STEPS }, (_, i) => {
    const noise = Math.sin(i * 12.9898 + seed * 78.233) * 43_758.5453;
    const level = 1 + 0.25 * Math.sin((i + seed * 9) / 9) + 0.2 * (noise - Math.floor(noise) - 0.5);
    return Math.round(perSecond * level * (STEP_MS / 1_000));
  });
}

function traffic(requestSteps: readonly number[], errorSteps: readonly number[] = Array(STEPS).fill(0)): Traffic {
  const [requests, ownErrors] = [sum(requestSteps), sum(errorSteps)];
  const answers = [0, 0, requests - ownErrors, 0, 0, ownErrors];
  return { requests, answers, ownErrors, targetErrors: 0, requestSteps, errorSteps };
}

function nightTraffic(now: number): TrafficReport {
  const shop = wave(42, 3);
  const failed = shop.map((count, i) => (i < 24 ? 0 : Math.round(count / (3 - i / 60))));
  const sites: SiteTraffic[] = [
    { site: 'shop.example.com', ...traffic(shop, failed) },
    { site: 'www.example.com', ...traffic(wave(120, 1)) },
    { site: 'api.example.com', ...traffic(wave(64, 2)) },
    { site: 'intranet.example.com', ...traffic(wave(0.6, 5)) },
    { site: null, ...traffic(wave(0.8, 6)) },
  ];
  const total = (steps: 'requestSteps' | 'errorSteps'): number[] =>
    Array.from({ length: STEPS }, (_, i) => sum(sites.map((site) => site[steps][i]!)));
  const shopRoute = { site: 'shop.example.com', route: '/cart/*' };
  return {
    stepAt: Math.floor(now / STEP_MS) * STEP_MS,
    all: traffic(total('requestSteps'), total('errorSteps')),
    sites,
    targets: [
      { target: 'http://10.0.0.11:8080', latencies: [24, 800, 26, 150, 32, 40, 40, 9], answeredAt: now - 40 },
      { target: 'http://10.0.0.21:3000', latencies: [12, 4_000, 16, 700, 28, 60], answeredAt: now - 40 },
      { target: 'h2c://10.0.0.31:50051', latencies: [8, 9_000, 12, 300, 20, 30], answeredAt: now - 40 },
    ],
    errors: [
      {
        ...shopRoute,
        target: BROKEN,
        code: 'connect_failed',
        message: REFUSED,
        count: 3_214,
        firstAt: now - 3 * MINUTE_MS,
        lastAt: now - 900,
      },
      {
        ...shopRoute,
        target: 'http://10.0.0.11:8080',
        code: 'response_timeout',
        message: 'no response from 10.0.0.11:8080 within 60 s',
        count: 7,
        firstAt: now - 2 * MINUTE_MS,
        lastAt: now - 20_000,
      },
      {
        site: 'api.example.com',
        route: '/*',
        target: 'h2c://10.0.0.31:50051',
        code: 'status_503',
        message: 'answered 503 Service Unavailable',
        count: 1,
        firstAt: now - 47 * MINUTE_MS,
        lastAt: now - 47 * MINUTE_MS,
      },
    ],
  };
}

export function nightShift(now: number): FakeAdminServices {
  const services = fakeAdminServices();
  services.now = now;
  services.inForce = configOf({
    sites: {
      'www.example.com': 'http://10.0.0.21:3000',
      'api.example.com': 'h2c://10.0.0.31:50051',
      'shop.example.com': { proxy: ['http://10.0.0.11:8080', BROKEN, 'http://10.0.0.13:8080'] },
      'intranet.example.com': 'http://10.0.0.21:3000',
      'new.example.com': 'http://10.0.0.21:3000',
    },
  });
  const config = {
    file: './perantara.yaml',
    path: '/etc/perantara/perantara.yaml',
    generation: 4,
    loadedAt: now - 9 * MINUTE_MS,
  };
  const lastReload = { at: now - 9 * MINUTE_MS, accepted: true, message: null };
  services.state = { ...services.state, config, lastReload };
  const name = (host: string) => ({ name: host, names: [host], issuer: 'R13' });
  const refused =
    'urn:ietf:params:acme:error:dns: no valid A records found for new.example.com; no valid AAAA records found for new.example.com';
  services.certificateList = [
    certificateStatus({ ...name('www.example.com'), notAfter: now + 61.4 * DAY_MS }),
    certificateStatus({ ...name('api.example.com'), notAfter: now + 74.2 * DAY_MS }),
    certificateStatus({ ...name('shop.example.com'), notAfter: now + 33.9 * DAY_MS }),
    certificateStatus({
      ...name('intranet.example.com'),
      source: 'supplied',
      notAfter: now + 9.6 * DAY_MS,
      next: null,
    }),
    certificateStatus({
      ...name('new.example.com'),
      state: 'missing',
      issuer: null,
      authority: 'acme-v02.api.letsencrypt.org-directory',
      notAfter: null,
      leftRatio: null,
      lastError: { at: now - 6 * MINUTE_MS, message: refused },
      failures: 3,
    }),
  ];
  const failure = {
    sinceAt: now - 3 * MINUTE_MS,
    lastAt: now - 900,
    count: 3_214,
    code: 'connect_failed',
    message: REFUSED,
  };
  services.reportList = [
    workerReport({
      startedAt: now - 12 * DAY_MS,
      connections: 418,
      inflight: { 'www.example.com': 9, 'api.example.com': 31, 'shop.example.com': 12 },
      traffic: nightTraffic(now),
      targets: [
        targetReport({ name: 'http://10.0.0.21:3000', inflight: 9, connections: 14 }),
        targetReport({ name: 'h2c://10.0.0.31:50051', inflight: 31, connections: 2 }),
        targetReport({ name: 'http://10.0.0.11:8080', inflight: 12, connections: 17 }),
        targetReport({ name: BROKEN, failure }),
        targetReport({ name: 'http://10.0.0.13:8080', drained: true }),
      ],
    }),
  ];
  return services;
}
