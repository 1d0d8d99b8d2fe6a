// Which server names a certificate could be obtained for at all. Pure; the cheapest look comes first, since anybody can
// send thousands of names a second.
import { isIP } from 'node:net';
import { isLocalName, isReservedName, normalizeHostname } from '../../core/hostname.ts';
import { certificateFolder } from '../storage/certificate-store.ts';

/** 253 and a trailing dot. */
const MAX_LENGTH = 254;
/** A server name is A-labels (RFC 6066 section 3): no wildcard, no address in brackets, nothing to translate. */
const LETTERS = /^[A-Za-z0-9.-]+$/;

/**
 * The server name in normal form, or null when no public CA could certify it: addresses, single labels, local and
 * reserved names, wildcards, malformed and overlong names.
 */
export function demandableName(servername: string): string | null {
  if (servername.length > MAX_LENGTH || !LETTERS.test(servername)) return null;
  const name = normalizeHostname(servername);
  if (name === null || isIP(name) !== 0 || isLocalName(name) || isReservedName(name)) return null;
  return name.endsWith('.arpa') ? null : name;
}

/** Names are kept as their folders are called: long ones are shortened there. */
export function folderOf(name: string): string {
  return name.length < 200 ? name : certificateFolder('', name).slice('certificates//'.length);
}
