// The one schema of the configuration file: it checks shapes, reads single values, and becomes the JSON Schema for editors.
// `describe` is what an editor shows. Rules that join several parts (sites, certificates, collisions) are in the files
// that `load` calls.
import { z } from 'zod';
import { accessLogShare, log } from './access-log-schema.ts';
import { acme } from './acme-schema.ts';
import { admin } from './admin-schema.ts';
import { command, dns, serviceUrl } from './dns-schema.ts';
import { parseHeaderName } from './field.ts';
import { LISTEN_FORMS, parseListenEntry } from './listen.ts';
import { NETWORK_FORMS, parseNetwork } from './network.ts';
import { reading } from './parsed.ts';
import { parseWorkers } from './quantity.ts';
import { count, duration, mapping, one, someText, text, textOrNumber, yesOrNo } from './schema-parts.ts';
import { routing, sites } from './site-schema.ts';
import { tracing } from './tracing-schema.ts';
import { parseUserName, USER_FORMS } from './user.ts';

const listenAddress = textOrNumber(LISTEN_FORMS).transform(reading(parseListenEntry));
const listenPlace = {
  address: listenAddress.describe('Where to listen.'),
  proxyProtocol: yesOrNo.optional().describe('Every connection begins with a PROXY protocol header. Default false.'),
};
const bareAddress = listenAddress.transform((address) => ({ address, proxyProtocol: undefined, h2c: undefined }));
const plainEntry = z.union(
  [
    bareAddress,
    mapping({
      ...listenPlace,
      h2c: yesOrNo.optional().describe('Clients may begin with HTTP/2 at once, without TLS. Default false.'),
    }),
  ],
  { error: `${LISTEN_FORMS}, or a mapping with address, proxyProtocol and h2c` },
);
const secureEntry = z.union([bareAddress, mapping(listenPlace).transform((entry) => ({ ...entry, h2c: undefined }))], {
  error: `${LISTEN_FORMS}, or a mapping with address and proxyProtocol`,
});

const port = z
  .int({ error: 'a port from 1 to 65535' })
  .min(1, { error: 'a port from 1 to 65535' })
  .max(65_535, { error: 'a port from 1 to 65535' });

const several = <T extends z.ZodType>(entry: T) => z.array(entry).min(1, { error: 'at least one address' });
const off = z.literal('off').transform(() => []);

const amount = z
  .int({ error: 'a whole number from 1' })
  .min(1, { error: 'a whole number from 1' })
  .max(1_000_000, { error: 'a whole number up to 1000000' });

const onDemand = mapping({
  ask: serviceUrl.describe('Asked with ?domain=NAME&address=CLIENT: 200 allows, anything else refuses.'),
  allow: duration.optional().describe('How long a yes holds. Default 1h.'),
  refuse: duration.optional().describe('How long a no holds. Default 5m.'),
  perAddress: amount.optional().describe('New names in an hour that one client address may bring in. Default 10.'),
  perHour: amount.optional().describe('New names in an hour, all together. Default 100.'),
  pending: amount.optional().describe('Names under way at once. Default 20.'),
  wait: duration.optional().describe('How long a handshake waits for its certificate. Default 30s.'),
  accessLog: accessLogShare.optional().describe('on, off, or 1/N, in place of log.access.sites.'),
  ...routing,
});

const onEvent = mapping({
  exec: command
    .optional()
    .describe('A program called with the name of the event as last argument, the event as JSON on stdin.'),
  webhook: serviceUrl.optional().describe('A URL that gets the event as JSON by POST.'),
});

const timeout = (meaning: string) => duration.optional().describe(meaning);

export const configSchema = mapping({
  acme: acme.optional().describe("Who issues certificates; of several, the first that can. Left out: Let's Encrypt."),
  dns: dns.optional().describe('Where DNS records that prove names are put: needed for wildcards.'),
  onDemand: onDemand
    .optional()
    .describe('Certificates for names that are not in this file, when a service of yours allows them. Default: none.'),
  onEvent: onEvent.optional().describe('Told when a certificate is obtained, renewed, fails, or nears its end.'),
  user: textOrNumber(USER_FORMS)
    .transform(reading(parseUserName))
    .optional()
    .describe('As whom to go on when started as root, once the ports are open. Default: as whom it was started.'),
  group: textOrNumber(USER_FORMS)
    .transform(reading(parseUserName))
    .optional()
    .describe("The group, in place of the user's own. Needs user."),
  storage: someText('the path of a folder')
    .optional()
    .describe('Folder for accounts, certificates and keys, relative to this file. Default ./certs.'),
  admin: admin
    .optional()
    .describe(
      'Where "perantara status" and "reload" reach the running process: a socket, { address, token }, or "off". Default: admin.sock in /run/perantara or in the storage folder.',
    ),
  listen: mapping({
    http: z
      .union([off, one(plainEntry), several(plainEntry)], { error: `${LISTEN_FORMS}, a list of them, or "off"` })
      .optional()
      .describe('Plain listeners for challenges and redirects; "off" for none. Default ":80".'),
    https: z
      .union([one(secureEntry), several(secureEntry)], { error: `${LISTEN_FORMS}, or a list of them` })
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
  log: log.optional().describe('What is written down.'),
  tracing: tracing
    .optional()
    .describe('Requests are followed in traces (W3C traceparent), and spans sent to a collector. Default: none.'),
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
    retire: timeout('How long WebSockets of a site, and all on a target, go on that a reload has removed. Default 1h.'),
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
  sites,
}).describe('Configuration of the Perantara HTTPS reverse proxy.');

export type RawConfig = z.output<typeof configSchema>;
