// The resources of RFC 8555 section 7.1 as far as they are used, checked on arrival: a CA's answer is outside input.
// What is optional and malformed counts as missing.
import { z } from 'zod';
import { PerantaraError } from '../../core/errors.ts';

const problemSchema = z.unknown().optional();
const optionalUrl = z.url().optional().catch(undefined);

const directorySchema = z.looseObject({
  newNonce: z.url(),
  newAccount: z.url(),
  newOrder: z.url(),
  revokeCert: optionalUrl,
  keyChange: optionalUrl,
  /** RFC 9773 section 4.1. */
  renewalInfo: optionalUrl,
  meta: z
    .looseObject({
      externalAccountRequired: z.boolean().optional().catch(undefined),
      /** draft-ietf-acme-profiles: name → a description for people. */
      profiles: z.record(z.string(), z.unknown()).optional().catch(undefined),
    })
    .optional()
    .catch(undefined),
});

const identifierSchema = z.object({ type: z.string(), value: z.string() });

const accountSchema = z.object({ status: z.string().optional(), orders: optionalUrl });

const orderListSchema = z.object({ orders: z.array(z.url()) });

const orderSchema = z.object({
  status: z.enum(['pending', 'ready', 'processing', 'valid', 'invalid']),
  identifiers: z.array(identifierSchema).optional().catch(undefined),
  /** Milliseconds since the epoch. */
  expires: z.iso
    .datetime({ offset: true })
    .transform((text) => Date.parse(text))
    .optional()
    .catch(undefined),
  authorizations: z.array(z.url()),
  finalize: z.url(),
  certificate: z.url().optional(),
  error: problemSchema,
});

const challengeSchema = z
  .object({
    type: z.string(),
    url: z.url(),
    status: z.string(),
    /** Only the types that have one. */
    token: z.string().optional(),
    /** draft-ietf-acme-dns-persist. */
    'issuer-domain-names': z.array(z.string()).optional().catch(undefined),
    error: problemSchema,
  })
  .transform(({ 'issuer-domain-names': issuerDomainNames = [], ...rest }) => ({ ...rest, issuerDomainNames }));

const authorizationSchema = z.object({
  identifier: identifierSchema,
  status: z.enum(['pending', 'valid', 'invalid', 'deactivated', 'expired', 'revoked']),
  wildcard: z.boolean().optional().catch(undefined),
  challenges: z.array(challengeSchema),
});

const dateSchema = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

const renewalInfoSchema = z.object({
  suggestedWindow: z.object({ start: dateSchema, end: dateSchema }),
  explanationURL: z
    .url({ protocol: /^https$/ })
    .optional()
    .catch(undefined),
});

export type Directory = z.infer<typeof directorySchema>;
export type Account = z.infer<typeof accountSchema>;
export type Order = z.infer<typeof orderSchema> & { readonly url: string };
export type Challenge = z.infer<typeof challengeSchema>;
export type Authorization = z.infer<typeof authorizationSchema>;
export type SuggestedRenewal = z.infer<typeof renewalInfoSchema>;

/** Throws `issuer_insecure` when it leads to plain HTTP (RFC 8555 section 6.1). */
export function readDirectory(data: unknown): Directory {
  const directory = read('directory', directorySchema, data);
  for (const name of ['newNonce', 'newAccount', 'newOrder', 'revokeCert', 'keyChange', 'renewalInfo'] as const) {
    const url = directory[name];
    if (url === undefined || URL.parse(url)?.protocol === 'https:') continue;
    throw new PerantaraError(`cannot use the CA's directory: its ${name} is "${url}", not an https URL`, {
      code: 'issuer_insecure',
      source: 'issuer',
    });
  }
  return directory;
}

export function readAccount(data: unknown): Account {
  return read('account', accountSchema, data);
}

/** Addresses of orders (RFC 8555 section 7.1.2.1). */
export function readOrderList(data: unknown): readonly string[] {
  return read('list of orders', orderListSchema, data).orders;
}

/** `url`: where it lives; the CA says so in a header only. */
export function readOrder(data: unknown, url: string): Order {
  return { ...read('order', orderSchema, data), url };
}

export function readAuthorization(data: unknown): Authorization {
  return read('authorization', authorizationSchema, data);
}

/** RFC 9773 section 4.2. */
export function readRenewalInfo(data: unknown): SuggestedRenewal {
  return read('renewal information', renewalInfoSchema, data);
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
