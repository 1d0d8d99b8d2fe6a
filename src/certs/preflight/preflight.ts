// Everything that could keep a name from its certificate, looked at without asking an authority for anything that counts:
// gathers facts (DNS, the name's own addresses, storage, one GET of each directory) and has them judged.
import { randomBytes } from 'node:crypto';
import { isIP, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { AcmeConfig, Config, SiteTls } from '../../config/config.ts';
import type { Clock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { acmeIssuerId } from '../acme/issuer.ts';
import { openChallengeListener } from '../challenges/challenge-listener.ts';
import { ChallengeTokens } from '../challenges/challenge-tokens.ts';
import { SharedTokens } from '../challenges/shared-tokens.ts';
import { persistentName } from '../dns/persistent-record.ts';
import { isPublicSuffix } from '../renewal/registered-domain.ts';
import type { Storage } from '../storage/storage.ts';
import { type AddressFacts, addressesOf, judgeAddresses } from './addresses.ts';
import { type DirectoryFacts, judgeClock, judgeDirectory } from './authority.ts';
import { type CaaIssuer, judgeCaa } from './caa.ts';
import { visitDirectory } from './directory-visit.ts';
import type { DnsQuestions } from './dns-look-up.ts';
import { judgeDns01, judgePersistentRecords } from './dns-proof.ts';
import { type Finding, finding, type LookUp, weighed } from './finding.ts';
import { judgeHttp, type PlainListening } from './http-path.ts';
import { visit } from './http-visit.ts';
import { judgeName } from './name-policy.ts';
import { judgeTls, visitTls } from './tls-port.ts';

export interface PreflightServices {
  readonly dns: DnsQuestions;
  readonly storage: Storage;
  readonly clock: Clock;
  readonly log: Logger;
  /** Where authorities come: 80 and 443, but in tests. */
  readonly ports: { readonly http: number; readonly https: number };
  /** Fingerprints of the certificates stored for the name. */
  readonly stored: readonly string[];
  /** One visit to an address or directory. */
  readonly timeoutMs: number;
}

type AcmeTls = Extract<SiteTls, { kind: 'acme' }>;

/** `name`: a normalised host pattern, `tls`: how it is to be certified. Never rejects for what it finds. */
export async function preflight(
  name: string,
  tls: AcmeTls,
  config: Pick<Config, 'acme' | 'dns' | 'listen'>,
  services: PreflightServices,
): Promise<readonly Finding[]> {
  const { challenges, directories } = tls;
  const issuers = config.acme.filter(({ directory }) => directories.includes(directory));
  const bare = name.replace(/^\*\./, '');
  const isAddress = isIP(bare) !== 0;
  const { dns, storage, clock, timeoutMs } = services;
  const [a, aaaa, caa, directoryFacts, storageFinding] = await Promise.all([
    isAddress ? literal(isIPv6(bare) ? [] : [bare]) : dns.a(bare),
    isAddress ? literal(isIPv6(bare) ? [bare] : []) : dns.aaaa(bare),
    isAddress ? ({ kind: 'none' } as const) : dns.caa(bare),
    Promise.all(issuers.map((issuer) => visitDirectory(issuer, tls.profile ?? issuer.profile, clock, timeoutMs))),
    judgeStorage(storage),
  ]);
  const own = ownAddresses();
  const addresses = addressesOf({ a, aaaa });
  const isVisited = challenges.some((type) => !type.startsWith('dns-'));
  const http = challenges.includes('http-01') ? await visitPlain(bare, addresses, config, services) : null;
  const proven = new Set(http?.probes.flatMap(({ address, outcome }) => (outcome.kind === 'ours' ? [address] : [])));
  const facts: AddressFacts = { name: bare, a, aaaa, own, proven, isVisited };
  const caaIssuers = await Promise.all(issuers.map((issuer, i) => caaIssuer(issuer, directoryFacts[i]!, storage)));

  const findings: Finding[] = [
    ...judgeName({ name, challenges, directories, isPublicSuffix: !isAddress && isPublicSuffix(bare) }),
    storageFinding,
    ...directoryFacts.flatMap(judgeDirectory),
    judgeClock(directoryFacts),
    ...judgeAddresses(facts),
    ...(http === null ? [] : judgeHttp({ ...http, own })),
  ];
  if (challenges.includes('tls-alpn-01')) {
    const visits = addresses.map((address) => visitTls(name, address, services.ports.https, timeoutMs));
    findings.push(...judgeTls(await Promise.all(visits), services.stored, own));
  }
  if (challenges.includes('dns-01'))
    findings.push(judgeDns01(config.dns, await dns.alias(`_acme-challenge.${bare}`), bare));
  if (challenges.includes('dns-persist-01')) {
    const wish = { identifier: bare, wildcard: name !== bare };
    findings.push(...judgePersistentRecords(await dns.texts(persistentName(bare)), wish, caaIssuers, clock.now()));
  }
  if (!isAddress) findings.push(...judgeCaa(caa, name !== bare, challenges, caaIssuers));
  return weighed(findings, challenges);
}

function literal(addresses: readonly string[]): LookUp<readonly string[]> {
  return addresses.length === 0 ? { kind: 'none' } : { kind: 'found', value: addresses };
}

async function judgeStorage(storage: Storage): Promise<Finding> {
  try {
    await storage.assertWritable();
    return finding('storage', 'ok', 'the storage folder can be written');
  } catch (error) {
    return finding('storage', 'problem', messageOf(error), 'without it no certificate is obtained');
  }
}

/** Loopback and link-local addresses are nowhere in the DNS. */
function ownAddresses(): readonly string[] {
  return Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal, scopeid }) => !internal && (scopeid ?? 0) === 0)
    .map(({ address }) => address);
}

/**
 * Leaves a test token where a running server that shares the storage finds it, answers with it here when none listens,
 * and goes to every address.
 */
async function visitPlain(
  name: string,
  addresses: readonly string[],
  { listen }: Pick<Config, 'listen'>,
  { dns, storage, clock, log, ports, timeoutMs }: PreflightServices,
) {
  if (listen.http.length === 0) return { probes: [], listening: 'off' as const };
  const token = `perantara-check-${randomBytes(16).toString('hex')}`;
  const expected = `${token}.${randomBytes(16).toString('hex')}`;
  const tokens = new ChallengeTokens(new SharedTokens({ storage, clock, log }));
  await tokens.present(name, token, expected);
  const listener = await openChallengeListener(
    listen.http.filter(({ proxyProtocol }) => !proxyProtocol),
    (host, asked) => tokens.answer(host, asked),
  );
  try {
    const addressOf = async (host: string): Promise<string | null> => {
      const [a, aaaa] = await Promise.all([dns.a(host), dns.aaaa(host)]);
      return addressesOf({ a, aaaa })[0] ?? null;
    };
    const probes = await Promise.all(
      addresses.map((address) => visit({ name, address, token, expected, ports, addressOf, timeoutMs })),
    );
    return { probes, listening: listeningOf(listener.refusals) };
  } finally {
    await listener.close();
    await tokens.cleanUp(name, token);
  }
}

function listeningOf(refusals: readonly (string | null)[]): PlainListening {
  if (refusals.some((code) => code === 'EADDRINUSE')) return 'taken';
  return refusals.includes(null) ? 'own' : 'forbidden';
}

async function caaIssuer(
  { directory }: AcmeConfig,
  { name, answer }: DirectoryFacts,
  storage: Storage,
): Promise<CaaIssuer> {
  const identities = answer.kind === 'answered' && answer.caaIdentities?.length ? answer.caaIdentities : null;
  const text = await storage.load(`accounts/${acmeIssuerId(directory)}/account.json`).catch(() => null);
  return { name, identities, accountUrl: text === null ? null : accountUrlIn(text) };
}

function accountUrlIn(json: string): string | null {
  try {
    const { url } = JSON.parse(json) as { url?: unknown };
    return typeof url === 'string' ? url : null;
  } catch {
    return null;
  }
}
