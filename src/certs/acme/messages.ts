// The resources of RFC 8555 section 7.1 as far as they are used, checked on arrival: a CA's answer is outside input.
import { z } from 'zod';
import { PerantaraError } from '../../core/errors.ts';

const problemSchema = z.unknown().optional();

const directorySchema = z.looseObject({
  newNonce: z.url(),
  newAccount: z.url(),
  newOrder: z.url(),
  meta: z.looseObject({ termsOfService: z.string().optional() }).optional(),
});

const orderSchema = z.object({
  status: z.enum(['pending', 'ready', 'processing', 'valid', 'invalid']),
  authorizations: z.array(z.url()),
  finalize: z.url(),
  certificate: z.url().optional(),
  error: problemSchema,
});

const challengeSchema = z.object({
  type: z.string(),
  url: z.url(),
  status: z.string(),
  /** Only the types that have one. */
  token: z.string().optional(),
  error: problemSchema,
});

const authorizationSchema = z.object({
  identifier: z.object({ type: z.string(), value: z.string() }),
  status: z.enum(['pending', 'valid', 'invalid', 'deactivated', 'expired', 'revoked']),
  challenges: z.array(challengeSchema),
});

export type Directory = z.infer<typeof directorySchema>;
export type Order = z.infer<typeof orderSchema> & { readonly url: string };
export type Challenge = z.infer<typeof challengeSchema>;
export type Authorization = z.infer<typeof authorizationSchema>;

export function readDirectory(data: unknown): Directory {
  return read('directory', directorySchema, data);
}

/** `url`: where it lives; the CA says so in a header only. */
export function readOrder(data: unknown, url: string): Order {
  return { ...read('order', orderSchema, data), url };
}

export function readAuthorization(data: unknown): Authorization {
  return read('authorization', authorizationSchema, data);
}

function read<T>(what: string, schema: z.ZodType<T>, data: unknown): T {
  const result = schema.safeParse(data);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  throw new PerantaraError(`cannot read the CA's ${what}: ${path.join('.') || 'it'}: ${message}`, {
    code: 'issuer_answer_invalid',
    source: 'issuer',
    retryable: true,
    cause: result.error,
  });
}
