// The part of the schema about sites: host → TLS settings and routes, path → action.
import { z } from 'zod';
import { accessLogShare } from './access-log-schema.ts';
import { directory, profile } from './acme-schema.ts';
import { parseMediaType } from './field.ts';
import { LOCATION_FORMS, parseLocation } from './location.ts';
import { reading } from './parsed.ts';
import { file, mapping, one, oneOrMore, size, text, textOrNumber, yesOrNo } from './schema-parts.ts';
import { parseTarget, TARGET_FORMS } from './target.ts';
import { HTTP_FORMS, parseHttpVersion, parseServername } from './target-tls.ts';
import { CHALLENGE_FORMS, GROUP_FORMS, KEY_FORMS, parseChallenge, parseGroup, parseKeyType } from './tls-words.ts';

const targetText = textOrNumber(TARGET_FORMS)
  .meta({ examples: ['http://127.0.0.1:3000', 'https://10.0.0.5:8443', 'h2c://127.0.0.1:50051', 3000] })
  .transform(reading(parseTarget));
/** config/target-tls says which keys go with which scheme. */
const targetShape = {
  to: targetText.describe('Where to: http://, https:// or h2c:// with HOST:PORT or unix:/PATH.'),
  trust: file
    .optional()
    .describe("PEM file with the only CA certificates believed. Default: Node's roots and the system's."),
  servername: text('a host name such as app.internal')
    .transform(reading(parseServername))
    .optional()
    .describe('Name that is asked for and that the certificate must be for. Default: the host of the target.'),
  cert: file.optional().describe('PEM file with the certificate shown to the target, then its chain.'),
  key: file.optional().describe('PEM file with its private key, without a passphrase.'),
  http: textOrNumber(HTTP_FORMS)
    .transform(reading(parseHttpVersion))
    .optional()
    .describe('"1.1" or "2": speak only that. Default: HTTP/2 where the target offers it.'),
  verify: yesOrNo.optional().describe('false: believe whoever answers. Default true.'),
};
const target = z.union(
  [
    targetText.transform((to) => ({
      to,
      trust: undefined,
      servername: undefined,
      cert: undefined,
      key: undefined,
      http: undefined,
      verify: undefined,
    })),
    mapping(targetShape),
  ],
  { error: `${TARGET_FORMS}, or a mapping with ${Object.keys(targetShape).join(', ')}` },
);
const location = text(LOCATION_FORMS).transform(reading(parseLocation));

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
  proxy: oneOrMore(target, TARGET_FORMS, 'target')
    .optional()
    .describe('Forward to this target, or to several in turn.'),
  redirect: redirect.optional().describe('Send the client elsewhere.'),
  respond: respond.optional().describe('Answer with a fixed text.'),
  maxBody: size.optional().describe('Largest request body, such as 10MiB; 413 above. "off" (default) for no limit.'),
};

const toTarget = one(targetText.transform((to) => ({ to }))).transform((proxy) => ({ proxy }));

const routeSchema = z.union([toTarget, mapping(action, 'a target, or a mapping')], {
  error: `${TARGET_FORMS}, or a mapping with ${Object.keys(action).join(', ')}`,
});

/** What happens to requests: one action, or one for each path. */
export const routing = {
  routes: z
    .record(z.string(), routeSchema, { error: 'a mapping from paths to actions' })
    .optional()
    .describe('Path → action. "/old" is that path only, "/api/*" everything below; exact beats longest prefix.'),
  ...action,
};

/** One mapping for every source of certificates; config/site-tls says which keys go together. */
const tls = mapping({
  cert: file.optional().describe('PEM file: the certificate of the site first, then its chain.'),
  key: file.optional().describe('PEM file with the private key, without a passphrase.'),
  pkcs12: file.optional().describe('PKCS#12 file (.p12, .pfx) with certificate, chain and key.'),
  password: text('the password of the PKCS#12 file').optional().describe('Password of the PKCS#12 file. Secret.'),
  issuer: oneOrMore(directory, 'the directory of an authority under acme', 'authority')
    .optional()
    .describe('Which authorities of acme to ask, in this order. Default: all of them.'),
  challenge: oneOrMore(text(CHALLENGE_FORMS).transform(reading(parseChallenge)), CHALLENGE_FORMS, 'challenge')
    .optional()
    .describe('How the name is proved, the preferred way first: http-01, tls-alpn-01, dns-01, dns-persist-01.'),
  keyType: oneOrMore(text(KEY_FORMS).transform(reading(parseKeyType)), KEY_FORMS, 'key type')
    .optional()
    .describe('p256 (default), p384, rsa2048 or rsa4096; a list of two makes an RSA + ECDSA pair.'),
  profile: profile.optional().describe("Profile to order, such as shortlived. Default: the authority's under acme."),
  group: text(GROUP_FORMS)
    .transform(reading(parseGroup))
    .optional()
    .describe('Sites of one group share one certificate with all their names.'),
});

const siteShape = {
  tls: z
    .union([z.literal('local'), tls], {
      error:
        'local, { cert: FILE, key: FILE }, { pkcs12: FILE, password: TEXT }, or settings for ACME; left out, the certificate is obtained from the ACME authority',
    })
    .optional()
    .describe('Left out: obtained by ACME. "local": from the local CA. { cert, key } or { pkcs12 }: your own files.'),
  accessLog: accessLogShare.optional().describe('on, off, or 1/N, in place of log.access.sites.'),
  ...routing,
};

const siteSchema = z.union([toTarget, mapping(siteShape, 'a target, or a mapping')], {
  error: `${TARGET_FORMS}, or a mapping with ${Object.keys(siteShape).join(', ')}`,
});

export const sites = z
  .record(z.string(), siteSchema, { error: 'a mapping from host names to targets' })
  .describe('Host name → target, or a mapping. "*.example.com" covers one label.');

export type RawTarget = z.output<typeof target>;
export type RawSite = z.output<typeof siteSchema>;
export type RawTls = z.output<typeof tls>;
export type RawRoute = z.output<typeof routeSchema>;
export type RawAction = Pick<Extract<RawRoute, { maxBody?: unknown }>, 'proxy' | 'redirect' | 'respond' | 'maxBody'>;
/** A site or anything else with routes. */
export type RawRouting = { readonly [Key in keyof typeof routing]?: z.output<(typeof routing)[Key]> } | RawSite;
