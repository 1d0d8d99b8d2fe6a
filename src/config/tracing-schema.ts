// The part of the schema about traces: the `tracing` section.
import { z } from 'zod';
import { parseAnyName } from './access-log-words.ts';
import { reading } from './parsed.ts';
import { mapping, someText, text } from './schema-parts.ts';
import { COLLECTOR_FORMS, HEADER_VALUE_FORMS, parseCollector, parseHeaderValue, RATIO_FORMS } from './tracing.ts';

const collector = text(COLLECTOR_FORMS)
  .meta({ examples: ['http://127.0.0.1:4318'] })
  .transform(reading(parseCollector));

export const tracing = z.union(
  [
    collector.transform((endpoint) => ({
      endpoint,
      headers: undefined,
      sampleRatio: undefined,
      serviceName: undefined,
    })),
    mapping(
      {
        endpoint: collector.optional().describe('Where spans are sent by OTLP over HTTP, as JSON. Default: nowhere.'),
        headers: z
          .record(
            text('a field name').transform(reading(parseAnyName)),
            text(HEADER_VALUE_FORMS).transform(reading(parseHeaderValue)),
            { error: 'a mapping of field names to values' },
          )
          .optional()
          .describe('Header fields sent along, such as an API key. Secret. Default none.'),
        sampleRatio: z
          .number({ error: RATIO_FORMS })
          .min(0, { error: RATIO_FORMS })
          .max(1, { error: RATIO_FORMS })
          .optional()
          .describe('How many of the traces that begin here are recorded, 0 to 1. Default 1.'),
        serviceName: someText('a name').optional().describe('Who the spans are of (service.name). Default perantara.'),
      },
      `${COLLECTOR_FORMS}, or a mapping`,
    ),
  ],
  { error: `${COLLECTOR_FORMS}, or a mapping with endpoint, headers, sampleRatio and serviceName` },
);
