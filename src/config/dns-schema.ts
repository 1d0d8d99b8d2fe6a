// The part of the schema about DNS records that prove names: the `dns` section.
import { z } from 'zod';
import { COMMAND_FORMS, parseCommand } from './command.ts';
import { parseDnsServer, parseTsigAlgorithm, parseTsigSecret, parseZone, SERVER_FORMS } from './dns.ts';
import { reading } from './parsed.ts';
import { parseDelayValue } from './quantity.ts';
import { duration, mapping, oneOrMore, someText, text, yesOrNo } from './schema-parts.ts';
import { parseServiceUrl, SERVICE_FORMS } from './service-url.ts';

export const command = z
  .union([z.string(), z.array(z.string({ error: 'text' }))], { error: COMMAND_FORMS })
  .transform(reading(parseCommand));
export const serviceUrl = text(SERVICE_FORMS).transform(reading(parseServiceUrl));

const server = text(SERVER_FORMS).transform(reading(parseDnsServer));
const zone = text('a zone such as example.com').transform(reading(parseZone));

const tsig = mapping({
  name: text('the name of the key').transform(reading(parseZone)).describe('Name of the key.'),
  algorithm: text('hmac-sha256')
    .transform(reading(parseTsigAlgorithm))
    .optional()
    .describe('hmac-sha1, hmac-sha224, hmac-sha256 (default), hmac-sha384 or hmac-sha512.'),
  secret: someText('the key in base64').transform(reading(parseTsigSecret)).describe('The key, in base64. Secret.'),
});

export const dns = mapping({
  exec: command.optional().describe("A program called as PROGRAM [ARGS] present|cleanup FQDN VALUE: lego's exec form."),
  webhook: z
    .union(
      [
        serviceUrl.transform((url) => ({ url, user: undefined, password: undefined })),
        mapping({
          url: serviceUrl.describe('Asked by POST to URL/present and URL/cleanup.'),
          user: someText('a user name').optional().describe('User for Basic authentication.'),
          password: text('a password').optional().describe('Password for Basic authentication. Secret.'),
        }),
      ],
      { error: `${SERVICE_FORMS}, or a mapping with url, user, password` },
    )
    .optional()
    .describe("A service of yours: lego's httpreq form."),
  rfc2136: mapping({
    server: server.describe('Name server that takes updates; port 53 when none is written.'),
    zone: zone.optional().describe('Zone to update. Default: found by asking for its SOA record.'),
    tsig: tsig.optional().describe('Key that signs the updates (RFC 8945).'),
  })
    .optional()
    .describe('Dynamic update (RFC 2136): BIND, Knot, PowerDNS and others.'),
  acmeDns: mapping({
    url: serviceUrl.describe('Base URL of the server.'),
    user: someText('the user name of the registration').describe('As the registration answered.'),
    password: someText('the password of the registration').describe('As the registration answered. Secret.'),
    subdomain: someText('the subdomain of the registration').describe('As the registration answered.'),
  })
    .optional()
    .describe('An acme-dns server; _acme-challenge of each name is a CNAME to its fulldomain.'),
  cloudflare: mapping({
    token: someText('an API token').describe('API token that may edit the zone. Secret.'),
    zone: someText('the ID or the name of the zone')
      .optional()
      .describe('ID or name of the zone. Default: found by name; tokens that may not list zones need the ID.'),
    api: serviceUrl
      .optional()
      .describe('Base URL of the API, for gateways. Default https://api.cloudflare.com/client/v4.'),
  })
    .optional()
    .describe('Cloudflare.'),
  resolvers: oneOrMore(server, SERVER_FORMS, 'name server')
    .optional()
    .describe("Name servers asked whether a record is visible. Default: the zone's own."),
  propagation: duration.optional().describe('How long a record may take to be visible everywhere. Default 2m.'),
  settle: z
    .union([z.string(), z.number()], { error: 'a duration such as 5s' })
    .transform(reading(parseDelayValue))
    .optional()
    .describe('Waited after it is visible, before the authority is told to look. Default 0s.'),
  check: yesOrNo.optional().describe('Look whether the record is visible. Default true; false: only settle is waited.'),
  ttl: duration.optional().describe('Time to live of the records. Default 60s.'),
});
