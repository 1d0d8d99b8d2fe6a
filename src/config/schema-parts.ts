// The pieces that the schema is made of: mappings that know their keys, texts, durations, one value or a list of them.
// The `error` of each says what is allowed there, in words.
import { z } from 'zod';
import { reading } from './parsed.ts';
import { COUNT_FORMS, DURATION_FORMS, parseCount, parseDurationValue, parseSizeValue, SIZE_FORMS } from './quantity.ts';

/** Writes `[issue code] → what is allowed`; an unknown key lists the known ones. */
export function mapping<Shape extends z.ZodRawShape>(shape: Shape, what = 'a mapping') {
  const keys = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? keys.join(', ') : `${what} with ${keys.join(', ')}`),
  });
}

export const text = (what: string) => z.string({ error: what });
/** Text with something in it. */
export const someText = (what: string) => text(what).min(1, { error: what });
export const textOrNumber = (what: string) => z.union([z.string(), z.number()], { error: what });
export const file = text('the path of a file');
export const yesOrNo = z.boolean({ error: 'true or false' });

/** For editors only: numbers, which the loader takes to say that the unit is missing, are marked as wrong. */
const withUnit = (pattern: string, ...examples: string[]) => ({
  type: 'string',
  pattern: `${pattern}|\\$\\{`,
  examples,
});

export const duration = textOrNumber(DURATION_FORMS)
  .meta(withUnit('^(\\d+(ms|s|m|h|d))+$', '30s', '5m', '1h30m'))
  .transform(reading(parseDurationValue));
export const size = textOrNumber(SIZE_FORMS)
  .meta(withUnit('^(\\d+(B|KB|MB|GB|KiB|MiB|GiB)|off)$', '10MiB', 'off'))
  .transform(reading(parseSizeValue));
export const count = textOrNumber(COUNT_FORMS).transform(reading(parseCount));

/** One value, as a list of one. */
export const one = <T extends z.ZodType>(schema: T) => schema.transform((value) => [value]);

/** One value or a list; always a list to the reader. `what` is in the singular: `a target such as …`. */
export const oneOrMore = <T extends z.ZodType>(schema: T, what: string, noun: string) =>
  z.union([one(schema), z.array(schema, { error: what }).min(1, { error: `at least one ${noun}` })], {
    error: `${what}, or a list of them`,
  });
