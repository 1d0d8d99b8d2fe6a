// Origins that speak TLS, the authority that certifies them, and targets that lead to them.
import type { TlsOptions } from 'node:tls';
import type { TargetAddress, TargetTls } from '../../src/config/config.ts';
import { type Authority, type MintOptions, makeAuthority, mint } from './minted.ts';

export const ORIGIN_NAME = 'origin.test';

/** Certifies every origin that is not told otherwise. */
export const ORIGIN_AUTHORITY: Authority = makeAuthority('Origin Root');

/** What an origin shows: a certificate for its name and the loopback address. */
export function originTls(
  names: readonly string[] = [ORIGIN_NAME, '127.0.0.1'],
  authority: Authority = ORIGIN_AUTHORITY,
  options: MintOptions = {},
): TlsOptions & { cert: string; key: string } {
  const { certPem, keyPem } = mint(names, authority, options);
  return { cert: certPem, key: keyPem };
}

/** A target that expects ORIGIN_NAME and believes ORIGIN_AUTHORITY, unless told otherwise. */
export function secureTarget(origin: number | string, settings: Partial<TargetTls> = {}): TargetAddress {
  const usual = { servername: ORIGIN_NAME, trust: ORIGIN_AUTHORITY.certPem, identity: null, verify: true } as const;
  const tls: TargetTls = { ...usual, http: 'any', ...settings };
  return typeof origin === 'string'
    ? { kind: 'unix', path: origin, protocol: 'https', tls }
    : { kind: 'tcp', host: '127.0.0.1', port: origin, protocol: 'https', tls };
}
