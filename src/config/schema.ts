// The one schema of the configuration file: it checks shapes, reads single values, and becomes the JSON Schema for editors.
// The `error` of each part says what is allowed there; `describe` is what an editor shows. Rules that join several parts
// (sites, certificates, collisions) are in the files that `load` calls.
import { z } from 'zod';
import { parseAcmeDirectory, parseEmail } from './acme.ts';
import { PUBLIC_DIRECTORIES } from './defaults.ts';
import { parseHeaderName, parseMediaType } from './field.ts';
import { LISTEN_FORMS, parseListenEntry } from './listen.ts';
import { LOCATION_FORMS, parseLocation } from './location.ts';
import { NETWORK_FORMS, parseNetwork } from './network.ts';
import { reading } from './parsed.ts';
import {
  COUNT_FORMS,
  DURATION_FORMS,
  parseCount,
  parseDurationValue,
  parseSizeValue,
  parseWorkers,
  SIZE_FORMS,
} from './quantity.ts';
import { parseTarget, TARGET_FORMS } from './target.ts';

/** Writes `[issue code] → what is allowed`; an unknown key lists the known ones. */
function mapping<Shape extends z.ZodRawShape>(shape: Shape, what = 'a mapping') {
  const keys = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? keys.join(', ') : `${what} with ${keys.join(', ')}`),
  });
}

const text = (what: string) => z.string({ error: what });
const textOrNumber = (what: string) => z.union([z.string(), z.number()], { error: what });
const file = text('the path of a file');

/** For editors only: numbers, which the loader takes to say that the unit is missing, are marked as wrong. */
const withUnit = (pattern: string, ...examples: string[]) => ({
  type: 'string',
  pattern: `${pattern}|\\$\\{`,
  examples,
});

const duration = textOrNumber(DURATION_FORMS)
  .meta(withUnit('^(\\d+(ms|s|m|h|d))+$', '30s', '5m', '1h30m'))
  .transform(reading(parseDurationValue));
const size = textOrNumber(SIZE_FORMS)
  .meta(withUnit('^(\\d+(B|KB|MB|GB|KiB|MiB|GiB)|off)$', '10MiB', 'off'))
  .transform(reading(parseSizeValue));
const count = textOrNumber(COUNT_FORMS).transform(reading(parseCount));
const target = textOrNumber(TARGET_FORMS)
  .meta({ examples: ['http://127.0.0.1:3000', 'http://unix:/run/app.sock', 3000] })
  .transform(reading(parseTarget));
const location = text(LOCATION_FORMS).transform(reading(parseLocation));
const listenAddress = textOrNumber(LISTEN_FORMS).transform(reading(parseListenEntry));
const listenEntry = z.union(
  [
    listenAddress.transform((address) => ({ address, proxyProtocol: undefined })),
    mapping({
      address: listenAddress.describe('Where to listen.'),
      proxyProtocol: z
        .boolean({ error: 'true or false' })
        .optional()
        .describe('Every connection begins with a PROXY protocol header. Default false.'),
    }),
  ],
  { error: `${LISTEN_FORMS}, or a mapping with address and proxyProtocol` },
);

const port = z
  .int({ error: 'a port from 1 to 65535' })
  .min(1, { error: 'a port from 1 to 65535' })
  .max(65_535, { error: 'a port from 1 to 65535' });

const one = <T extends z.ZodType>(schema: T) => schema.transform((value) => [value]);
const listenEntries = z.array(listenEntry).min(1, { error: 'at least one address' });
const off = z.literal('off').transform(() => []);

const targets = z.union(
  [one(target), z.array(target, { error: TARGET_FORMS }).min(1, { error: 'at least one target' })],
  { error: `${TARGET_FORMS}, or a list of them` },
);

const REDIRECT_STATUSES = [301, 302, 303, 307, 308] as const;
const redirect = z.union(
  [
    location.transform((to) => ({ to, status: undefined })),
    mapping({
      to: location.describe('Path on the same site or whole URL.'),
      status: z
        .literal(REDIRECT_STATUSES, { error: REDIRECT_STATUSES.join(', ') })
        .optional()
        .describe('301, 302 (default), 303, 307 or 308.'),
    }),
  ],
  { error: `${LOCATION_FORMS}, or a mapping with to and status` },
);

const respond = z.union(
  [
    text('text').transform((body) => ({ body, status: undefined, type: undefined })),
    mapping({
      status: z
        .int({ error: 'a status from 200 to 599' })
        .min(200, { error: 'a status from 200 to 599' })
        .max(599, { error: 'a status from 200 to 599' })
        .optional()
        .describe('Status code, 200 to 599. Default 200.'),
      body: text('text; put it in quotes').optional().describe('The text to send. Default empty.'),
      type: text('a media type such as text/html')
        .transform(reading(parseMediaType))
        .optional()
        .describe('Content-Type. Default text/plain; charset=utf-8.'),
    }),
  ],
  { error: 'text in quotes, or a mapping with status, body, type' },
);

const action = {
  proxy: targets.optional().describe('Forward to this target, or to several in turn.'),
  redirect: redirect.optional().describe('Send the client elsewhere.'),
  respond: respond.optional().describe('Answer with a fixed text.'),
  maxBody: size.optional().describe('Largest request body, such as 10MiB; 413 above. "off" (default) for no limit.'),
};

const toTarget = one(target).transform((proxy) => ({ proxy }));

const routeSchema = z.union([toTarget, mapping(action, 'a target, or a mapping')], {
  error: `${TARGET_FORMS}, or a mapping with ${Object.keys(action).join(', ')}`,
});

const siteShape = {
  tls: z
    .union(
      [
        z.literal('local'),
        mapping({
          cert: file.describe('PEM file: the certificate of the site first, then its chain.'),
          key: file.describe('PEM file with the private key, without a passphrase.'),
        }),
      ],
      { error: 'local, or { cert: FILE, key: FILE }; left out, the certificate is obtained from the ACME authority' },
    )
    .optional()
    .describe('Left out: obtained by ACME. "local": from the local CA. { cert, key }: your own files.'),
  routes: z
    .record(z.string(), routeSchema, { error: 'a mapping from paths to actions' })
    .optional()
    .describe('Path → action. "/old" is that path only, "/api/*" everything below; exact beats longest prefix.'),
  ...action,
};

const siteSchema = z.union([toTarget, mapping(siteShape, 'a target, or a mapping')], {
  error: `${TARGET_FORMS}, or a mapping with ${Object.keys(siteShape).join(', ')}`,
});

const timeout = (meaning: string) => duration.optional().describe(meaning);

export const configSchema = mapping({
  acme: mapping({
    email: text('an address such as ops@example.com')
      .transform(reading(parseEmail))
      .optional()
      .describe('Where the authority may write about this account.'),
    directory: text(`an https:// URL, or ${Object.keys(PUBLIC_DIRECTORIES).join(', ')}`)
      .meta({ examples: Object.keys(PUBLIC_DIRECTORIES) })
      .transform(reading(parseAcmeDirectory))
      .optional()
      .describe('Directory URL, or letsencrypt (default), letsencrypt-staging, zerossl, google.'),
    trust: file
      .optional()
      .describe("PEM file with the CA certificates that authenticate the ACME server itself. Default: Node's roots."),
  })
    .optional()
    .describe("Who issues certificates. Left out: Let's Encrypt."),
  storage: text('the path of a folder')
    .min(1, { error: 'the path of a folder' })
    .optional()
    .describe('Folder for accounts, certificates and keys, relative to this file. Default ./certs.'),
  listen: mapping({
    http: z
      .union([off, one(listenEntry), listenEntries], { error: `${LISTEN_FORMS}, a list of them, or "off"` })
      .optional()
      .describe('Plain listeners for challenges and redirects; "off" for none. Default ":80".'),
    https: z
      .union([one(listenEntry), listenEntries], { error: `${LISTEN_FORMS}, or a list of them` })
      .optional()
      .describe('TLS listeners. Default ":443".'),
    redirectPort: port
      .optional()
      .describe('Port that redirects to https name, where clients see another than the one listened on.'),
  })
    .optional()
    .describe('Where to accept connections.'),
  workers: textOrNumber('auto, or a whole number from 1 to 1024')
    .transform(reading(parseWorkers))
    .optional()
    .describe('Number of processes, or auto (default). Accepted for later: one process serves for now.'),
  timeouts: mapping({
    handshake: timeout('Connection accepted → TLS handshake complete. Default 10s.'),
    head: timeout('First byte of a request head → last. Default 15s.'),
    bodyIdle: timeout(
      'Longest silence inside a body, either direction; an upload under 240 bytes a second counts as silent. Default 60s.',
    ),
    keepAlive: timeout('Longest wait for the next request on a connection. Default 75s.'),
    connect: timeout('Connecting to one upstream target. Default 3s.'),
    responseHead: timeout('Request sent → head of the upstream response. Default 60s.'),
    upstreamIdle: timeout('Idle upstream connections are closed after this. Default 30s.'),
    tunnelIdle: timeout('Longest silence in a WebSocket or other upgraded connection. Default 1h.'),
    drain: timeout('How long shutdown waits for requests under way. Default 30s.'),
  })
    .optional()
    .describe('Deadlines per phase, as durations such as 30s or 5m.'),
  limits: mapping({
    connections: count.optional().describe('Open client connections in all. Default 50000.'),
    connectionsPerAddress: count.optional().describe('Open client connections from one address. Default off.'),
  })
    .optional()
    .describe('How many connections are accepted.'),
  trustedProxies: z
    .array(text(NETWORK_FORMS).transform(reading(parseNetwork)), { error: 'a list of networks' })
    .optional()
    .describe('Networks whose hosts are believed about the client: X-Forwarded-*, Forwarded, PROXY protocol.'),
  underscoreHeaders: z
    .array(text('a field name such as x_request_id').transform(reading(parseHeaderName)), {
      error: 'a list of field names',
    })
    .optional()
    .describe('Header fields with "_" that may pass to upstreams; all others with "_" are dropped.'),
  sites: z
    .record(z.string(), siteSchema, { error: 'a mapping from host names to targets' })
    .describe('Host name → target, or a mapping. "*.example.com" covers one label.'),
}).describe('Configuration of the Perantara HTTPS reverse proxy.');

export type RawConfig = z.output<typeof configSchema>;
export type RawSite = RawConfig['sites'][string];
export type RawRoute = z.output<typeof routeSchema>;
export type RawAction = Pick<Extract<RawRoute, { maxBody?: unknown }>, 'proxy' | 'redirect' | 'respond' | 'maxBody'>;
