// Checks of signed ACME requests (RFC 8555 section 6) for the fake CA: what a strict server checks.
import { createHash, createHmac, createPublicKey, type KeyObject, verify } from 'node:crypto';

export type Jwk = { readonly [member: string]: unknown; readonly kty?: string; readonly crv?: string };

export interface JwsHeader {
  readonly alg?: string;
  readonly nonce?: string;
  readonly url?: string;
  readonly kid?: string;
  readonly jwk?: Jwk;
}

export interface Jws {
  readonly header: JwsHeader;
  readonly payload: Record<string, unknown> | null;
  readonly signed: string;
  readonly signature: Buffer;
}

/** Throws on anything that is no flattened JWS. */
export function readJws(body: string | object): Jws {
  const jws = (typeof body === 'string' ? JSON.parse(body) : body) as Record<
    'protected' | 'payload' | 'signature',
    string
  >;
  const decode = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString());
  return {
    header: decode(jws.protected) as JwsHeader,
    payload: jws.payload === '' ? null : (decode(jws.payload) as Record<string, unknown>),
    signed: `${jws.protected}.${jws.payload}`,
    signature: Buffer.from(jws.signature, 'base64url'),
  };
}

/** Whether `jwk` signed it with the algorithm it says, which must be the key's. */
export function isSignedBy({ header, signed, signature }: Jws, jwk: Jwk): boolean {
  const key = createPublicKey({ key: jwk as never, format: 'jwk' });
  const expected = { 'EC P-256': 'ES256', 'EC P-384': 'ES384', RSA: 'RS256' }[
    jwk.kty === 'EC' ? `EC ${jwk.crv}` : 'RSA'
  ];
  if (header.alg !== expected) return false;
  const digest = header.alg === 'ES384' ? 'sha384' : 'sha256';
  return verify(digest, Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }, signature);
}

/** External account binding (RFC 8555 section 7.3.4): the account's key under the HMAC key. */
export function isBound(jws: Jws, hmacKey: string, accountKey: Jwk): boolean {
  const digest = createHmac('sha256', Buffer.from(hmacKey, 'base64url')).update(jws.signed).digest();
  return (
    jws.header.alg === 'HS256' &&
    jws.header.nonce === undefined &&
    digest.equals(jws.signature) &&
    thumbprint(jws.payload as Jwk) === thumbprint(accountKey)
  );
}

/** RFC 7638. */
export function thumbprint(jwk: Jwk): string {
  const members = jwk.kty === 'RSA' ? ['e', 'kty', 'n'] : ['crv', 'kty', 'x', 'y'];
  const text = JSON.stringify(Object.fromEntries(members.map((name) => [name, jwk[name]])));
  return createHash('sha256').update(text).digest('base64url');
}

export function jwkOf(key: KeyObject): Jwk {
  return key.export({ format: 'jwk' }) as Jwk;
}
