// The JSON Schema for editors, made from the schema that the loader uses.
import { z } from 'zod';
import { configSchema } from './schema.ts';

/** As text, ready to be written to config/perantara.schema.json. */
export function jsonSchemaText(): string {
  const schema = z.toJSONSchema(configSchema, {
    io: 'input',
    target: 'draft-7',
    override: ({ jsonSchema }) => {
      // A part with its own `type` (schema's withUnit) is stricter for editors than for the loader.
      if (jsonSchema.pattern !== undefined) delete jsonSchema.anyOf;
    },
  });
  return `${JSON.stringify({ title: 'Perantara configuration', ...schema }, null, 2)}\n`;
}
