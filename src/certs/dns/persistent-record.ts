// The TXT record of DNS-PERSIST-01 (draft-ietf-acme-dns-persist): what it says, what has to be set, whether one will do. Pure.
// Its syntax is that of CAA issue values (RFC 8659 section 4.2).

export interface PersistentRecordWish {
  /** The name, without `*.`. */
  readonly identifier: string;
  /** Whether the wildcard of it, or names below it, shall be proved too. */
  readonly wildcard: boolean;
  /** By which the CA is known in the DNS; the first is written. */
  readonly issuerDomainNames: readonly string[];
  readonly accountUrl: string;
  /** The CA takes it for no record after this; null: for ever. Milliseconds since the epoch. */
  readonly persistUntil?: number | null;
}

export interface PersistentRecord {
  /** `_validation-persist.example.com` */
  readonly fqdn: string;
  readonly value: string;
}

export type PersistentRecordVerdict =
  | { readonly fit: true; readonly persistUntil: number | null }
  /** `why` is null when it is not for this CA at all. */
  | { readonly fit: false; readonly why: string | null };

const LONGEST_STRING = 255;

/** The record that proves what is wished for. */
export function persistentRecord(wish: PersistentRecordWish): PersistentRecord {
  const { identifier, wildcard, issuerDomainNames, accountUrl, persistUntil = null } = wish;
  const parts = [issuerDomainNames[0] ?? '', `accounturi=${accountUrl}`];
  if (wildcard) parts.push('policy=wildcard');
  if (persistUntil !== null) parts.push(`persistUntil=${Math.floor(persistUntil / 1_000)}`);
  return { fqdn: persistentName(identifier), value: parts.join('; ') };
}

export function persistentName(identifier: string): string {
  return `_validation-persist.${identifier}`;
}

/** As a zone file has it (RFC 1035 section 5.1): `_validation-persist.example.com. IN TXT "…"`. */
export function zoneFileLine({ fqdn, value }: PersistentRecord): string {
  const strings = value.match(new RegExp(`.{1,${LONGEST_STRING}}`, 'gs')) ?? [''];
  return `${fqdn}. IN TXT ${strings.map((text) => `"${text.replace(/["\\]/g, '\\$&')}"`).join(' ')}`;
}

/** Whether a TXT record's text, found at the name itself or (`inherited`) at a name above it, proves what is wished for. */
export function judgePersistentRecord(
  text: string,
  wish: PersistentRecordWish,
  inherited: boolean,
  now: number,
): PersistentRecordVerdict {
  const [issuer = '', ...rest] = text.split(';').map((part) => part.replace(/^[ \t]+|[ \t]+$/g, ''));
  if (!wish.issuerDomainNames.some((name) => name.toLowerCase() === issuer.toLowerCase()))
    return { fit: false, why: null };
  const parameters = new Map<string, string>();
  for (const part of rest) {
    const [, tag, value] = /^([^=\s]+)[ \t]*=[ \t]*([\x21-\x3a\x3c-\x7e]*)$/.exec(part) ?? [];
    if (tag === undefined || value === undefined)
      return unfit(part === '' ? 'it has an empty parameter' : `"${part}" is not TAG=VALUE`);
    if (parameters.has(tag.toLowerCase())) return unfit(`it has ${tag} twice`);
    parameters.set(tag.toLowerCase(), value);
  }
  const account = parameters.get('accounturi') ?? '';
  if (account === '') return unfit('it names no account');
  if (account !== wish.accountUrl) return unfit(`it names account "${account}"`);
  if ((wish.wildcard || inherited) && parameters.get('policy')?.toLowerCase() !== 'wildcard')
    return unfit(`it has no policy=wildcard`);
  const until = parameters.get('persistuntil');
  if (until === undefined) return { fit: true, persistUntil: null };
  if (!/^\d{1,12}$/.test(until)) return unfit(`persistUntil "${until}" is not a number of seconds`);
  const persistUntil = Number(until) * 1_000;
  if (persistUntil < now) return unfit(`it ended at ${new Date(persistUntil).toISOString()}`);
  return { fit: true, persistUntil };
}

function unfit(why: string): PersistentRecordVerdict {
  return { fit: false, why };
}
