// The part of the schema about the admin endpoint: the `admin` section.
import { z } from 'zod';
import { ADMIN_FORMS, LOOPBACK_FORMS, parseAdminAddress, parseAdminPlace, parseAdminToken } from './admin.ts';
import { reading } from './parsed.ts';
import { mapping, text, textOrNumber } from './schema-parts.ts';

export const admin = z.union(
  [
    textOrNumber(ADMIN_FORMS)
      .meta({ examples: ['/run/perantara/admin.sock', 'off'] })
      .transform(reading(parseAdminPlace)),
    mapping({
      address: textOrNumber(LOOPBACK_FORMS)
        .transform(reading(parseAdminAddress))
        .describe('Loopback address and port to listen on.'),
      token: text('a token')
        .transform(reading(parseAdminToken))
        .describe('What clients send as Authorization: Bearer TOKEN; at least 16 characters. Secret.'),
    }),
  ],
  { error: ADMIN_FORMS },
);
