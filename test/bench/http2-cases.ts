// The cases whose loads speak HTTP/2: h2load, which multiplexes as browsers and gRPC clients do.
import { type BenchCase, type LoadedCase, loaded } from './bench-case.ts';
import { CANNED } from './contestants/contestant.ts';
import { type MultiplexedOptions, runMultiplexed } from './load/h2load.ts';
import type { Http2Request } from './load/http2-request.ts';
import { FILES, GRPC_FILE, GRPC_MESSAGE, GRPC_PATH, SMALL_BYTES } from './origin.ts';

export const HTTP2_CASE_NAMES = [
  'h2-small',
  'h2-small-log',
  'h2-small-workers',
  'h2-small-reload',
  'h2-small-unwatched',
  'h2-1x100',
  'h2-64x1',
  'h2-1m',
  'h2-1m-windows',
  'h2-upload',
  'h2-grpc',
  'h2-h2c',
  'h2-canned',
] as const;
export type Http2CaseName = (typeof HTTP2_CASE_NAMES)[number];

const SMALL: Http2Request = get('/small', SMALL_BYTES);
const LARGE: Http2Request = get('/1m', FILES['1m']!);
const CALL: Http2Request = {
  path: GRPC_PATH,
  upload: GRPC_FILE,
  headers: { 'content-type': 'application/grpc', te: 'trailers' },
  bytes: GRPC_MESSAGE.length,
  trailers: { 'grpc-status': '0' },
};
/** Firefox takes 128 KiB for a stream to begin with and 12 MiB for the connection; h2load knows powers of two only. */
const BROWSER_WINDOWS = { streamBits: 17, connectionBits: 24 };

export const HTTP2_CASES: Readonly<Record<Http2CaseName, BenchCase>> = {
  'h2-small': multiplexed('h2-small', {
    title: 'HTTP/2: small responses, 16 × 16',
    does: 'GET, 64 bytes',
    load: { request: SMALL, connections: 16, streams: 16 },
  }),
  'h2-small-log': multiplexed('h2-small-log', {
    title: 'HTTP/2, access log: small responses, 16 × 16',
    does: 'GET, 64 bytes; without and with a line for each',
    load: { request: SMALL, connections: 16, streams: 16 },
    variant: 'logging',
  }),
  'h2-small-workers': multiplexed('h2-small-workers', {
    title: 'HTTP/2, workers: small responses, 16 × 16',
    does: 'GET, 64 bytes; one worker on one core, and two on both, beside load and origin',
    load: { request: SMALL, connections: 16, streams: 16 },
    variant: 'workers',
  }),
  'h2-small-reload': multiplexed('h2-small-reload', {
    title: 'HTTP/2, reload under load: small responses, 16 × 16',
    does: 'GET, 64 bytes; without reloads and with five in a second',
    load: { request: SMALL, connections: 16, streams: 16 },
    variant: 'reloading',
  }),
  'h2-small-unwatched': multiplexed('h2-small-unwatched', {
    title: 'HTTP/2, metrics: small responses, 16 × 16',
    does: 'GET, 64 bytes; with what the admin endpoint counts, and without',
    load: { request: SMALL, connections: 16, streams: 16 },
    variant: 'unwatched',
  }),
  'h2-1x100': multiplexed('h2-1x100', {
    title: 'HTTP/2: small responses, 1 × 100',
    does: 'GET, 64 bytes',
    load: { request: SMALL, connections: 1, streams: 100 },
  }),
  'h2-64x1': multiplexed('h2-64x1', {
    title: 'HTTP/2: small responses, 64 × 1',
    does: 'GET, 64 bytes; nothing to share between requests',
    load: { request: SMALL, connections: 64, streams: 1 },
  }),
  'h2-1m': multiplexed('h2-1m', {
    title: 'HTTP/2: 1 MiB responses',
    does: 'GET, 1 MiB; windows of a GiB',
    load: { request: LARGE, connections: 4, streams: 4 },
  }),
  'h2-1m-windows': multiplexed('h2-1m-windows', {
    title: 'HTTP/2: 1 MiB, windows of 128 KiB',
    does: 'GET, 1 MiB; windows of 128 KiB for a stream, 16 MiB for a connection, much as Firefox has them',
    load: { request: LARGE, connections: 4, streams: 4, windows: BROWSER_WINDOWS },
  }),
  'h2-upload': multiplexed('h2-upload', {
    title: 'HTTP/2: 1 MiB uploads',
    does: 'POST, 1 MiB with Content-Length',
    origin: 'uploads',
    load: { request: post('1m'), connections: 4, streams: 4 },
  }),
  'h2-grpc': multiplexed('h2-grpc', {
    title: 'gRPC: unary calls',
    does: `POST of a gRPC message, answered with one of ${GRPC_MESSAGE.length} bytes and trailers by an h2c upstream`,
    origin: 'h2c',
    upstream: 'grpc',
    load: { request: CALL, connections: 16, streams: 16 },
  }),
  'h2-h2c': multiplexed('h2-h2c', {
    title: 'HTTP/2 to the upstream too',
    does: 'GET, 64 bytes, from an h2c upstream',
    origin: 'h2c',
    upstream: 'h2c',
    load: { request: SMALL, connections: 16, streams: 16 },
  }),
  'h2-canned': multiplexed('h2-canned', {
    title: 'HTTP/2: canned answers',
    does: 'GET, 64 bytes that each answers by itself: what the codec and TLS cost without an upstream',
    origin: null,
    upstream: 'none',
    load: { request: get('/canned', CANNED.length), connections: 16, streams: 16 },
  }),
};

interface MultiplexedCase extends Pick<LoadedCase, 'title' | 'origin' | 'upstream' | 'variant'> {
  readonly does: string;
  readonly load: Omit<MultiplexedOptions, 'seconds'>;
}

function multiplexed(name: Http2CaseName, { does, load, ...rest }: MultiplexedCase): BenchCase {
  const windows = load.windows === undefined ? '' : ` -w${load.windows.streamBits} -W${load.windows.connectionBits}`;
  return loaded(name, {
    ...rest,
    load: `h2load -c${load.connections} -m${load.streams}${windows}: ${does}`,
    http2: load.request,
    apply: ({ rig, port, seconds }) => runMultiplexed(rig, port, { ...load, seconds }),
  });
}

function get(path: string, bytes: number): Http2Request {
  return { path, upload: null, headers: {}, bytes, trailers: {} };
}

/** The origin answers with the number of bytes it was sent. */
function post(file: string): Http2Request {
  return { path: '/upload', upload: file, headers: {}, bytes: `${FILES[file]!}`.length, trailers: {} };
}
