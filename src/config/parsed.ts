// The outcome of reading one written value: what it means, or why it means nothing.
import type { z } from 'zod';
import type { ProblemDetails } from './problem.ts';

/** `state` completes "cannot use <path>: …". */
export type Parsed<T> = { readonly ok: true; readonly value: T } | ({ readonly ok: false } & Mistake);

export interface Mistake extends ProblemDetails {
  readonly state: string;
}

export function meant<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

export function mistaken(state: string, details: ProblemDetails = {}): Parsed<never> {
  return { ok: false, state, ...details };
}

/** Makes a zod transform of a parser; its mistake travels in the issue's `params` to config/shape. */
export function reading<I, T>(parse: (input: I) => Parsed<T>): (input: I, context: z.RefinementCtx<I>) => T {
  return (input, context) => {
    const result = parse(input);
    if (result.ok) return result.value;
    const { ok, ...mistake } = result;
    context.addIssue({ code: 'custom', message: result.state, params: mistake });
    return undefined as never;
  };
}
