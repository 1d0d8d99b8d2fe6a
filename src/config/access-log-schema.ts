// The part of the schema about the access log.
import { z } from 'zod';
import {
  ACCESS_FIELD_FORMS,
  LOG_PLACE_FORMS,
  parseAccessField,
  parseAnyName,
  parseLogPlace,
  parseShare,
  SHARE_FORMS,
} from './access-log-words.ts';
import { reading } from './parsed.ts';
import { mapping, text } from './schema-parts.ts';

const place = text(LOG_PLACE_FORMS).transform(reading(parseLogPlace));
const names = (what: string) =>
  z.array(text(what).transform(reading(parseAnyName)), { error: `a list of ${what}` }).optional();

/** Of a site, or of everything on demand. */
export const accessLogShare = text(SHARE_FORMS).transform(reading(parseShare));

const shape = {
  output: place.describe('A file, relative to this one, or stdout or stderr.'),
  format: z
    .literal(['json', 'combined'], { error: 'json, combined' })
    .optional()
    .describe('json (default), or combined as nginx and Apache write it.'),
  sites: accessLogShare
    .optional()
    .describe('What sites do that say nothing of it: on (default), off, or 1/N: one exchange in N.'),
  fields: z
    .array(text(ACCESS_FIELD_FORMS).transform(reading(parseAccessField)), { error: 'a list of fields' })
    .min(1, { error: 'at least one field' })
    .optional()
    .describe('Fields of a line of JSON, in this order. Default: most of them.'),
  requestHeaders: names('header field names').describe(
    'Header fields of the request to write down. Default: Referer, User-Agent.',
  ),
  responseHeaders: names('header field names').describe('Header fields of the response to write down. Default none.'),
  reveal: names('names of header fields or query parameters').describe(
    'Written down as they are, though they are secret: Authorization, Cookie, tokens in queries. Default none.',
  ),
};

export const log = mapping({
  access: z
    .union(
      [
        place.transform((output) => ({
          output,
          format: undefined,
          sites: undefined,
          fields: undefined,
          requestHeaders: undefined,
          responseHeaders: undefined,
          reveal: undefined,
        })),
        mapping(shape, 'a file, or a mapping'),
      ],
      {
        error: `${LOG_PLACE_FORMS}, or a mapping with ${Object.keys(shape).join(', ')}`,
      },
    )
    .optional()
    .describe('One line per exchange. Default: none.'),
});
