// The certificates that prove names by TLS-ALPN-01 (RFC 8737, for IP addresses RFC 8738): self-signed, one for each
// challenge under way, shown to nobody but a validator. Never ends a handshake; server/tls-acceptor does.
import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import { isIP } from 'node:net';
import type { SecureContext, SecureContextOptions } from 'node:tls';
import type { Clock } from '../../core/clock.ts';
import { type Announce, type Announcement, announceToNobody } from '../announcement.ts';
import { generateKey } from '../key.ts';
import { mintCertificate } from '../mint.ts';
import { AlpnContexts } from './alpn-contexts.ts';
import type { ChallengeSolver, PendingChallenge } from './challenge-solver.ts';

export interface AlpnCertificatesOptions {
  /** As every site's context has them, without `cert` and `key`. */
  readonly contextOptions: SecureContextOptions;
  readonly clock: Clock;
  /** Default to nobody. */
  readonly announce?: Announce;
}

const HOUR_MS = 3_600_000;

export class AlpnCertificates implements ChallengeSolver {
  readonly type = 'tls-alpn-01';
  /** Why validators cannot reach a TLS listener here, to complete `cannot prove "x": …`; null when they can. */
  unreachable: string | null = null;
  readonly #clock: Clock;
  readonly #announce: Announce;
  readonly #contexts: AlpnContexts;

  constructor({ contextOptions, clock, announce = announceToNobody }: AlpnCertificatesOptions) {
    this.#clock = clock;
    this.#announce = announce;
    this.#contexts = new AlpnContexts(contextOptions);
  }

  /** See AlpnContexts. */
  get pending(): boolean {
    return this.#contexts.pending;
  }

  /** See AlpnContexts. */
  resolve(servername: string): SecureContext | null {
    return this.#contexts.resolve(servername);
  }

  /** All that are wanted. */
  *announcements(): Generator<Announcement> {
    for (const [name, { certificate }] of this.#contexts.shown) yield { kind: 'alpn', name, certificate };
  }

  unfit(_identifier: string, wildcard: boolean): string | null {
    if (wildcard) return 'a wildcard can be proved in the DNS alone';
    return this.unreachable;
  }

  async present({ identifier, keyAuthorization }: PendingChallenge, signal: AbortSignal): Promise<() => Promise<void>> {
    const name = serverNameOf(identifier);
    const keyPem = await generateKey();
    signal.throwIfAborted();
    const now = this.#clock.now();
    const key = createPrivateKey(keyPem);
    const template = {
      subject: 'ACME challenge',
      names: [identifier],
      authority: false,
      notBefore: now - HOUR_MS,
      notAfter: now + 24 * HOUR_MS,
      acmeIdentifier: createHash('sha256').update(keyAuthorization).digest(),
    };
    const certPem = mintCertificate(template, createPublicKey(keyPem), { subject: template.subject, key });
    const certificate = { certPem, keyPem };
    this.#contexts.show(name, certificate);
    await this.#announce({ kind: 'alpn', name, certificate });
    return async () => {
      if (this.#contexts.hide(name, certificate)) await this.#announce({ kind: 'alpn', name, certificate: null });
    };
  }
}

/** RFC 8738 section 6: an address stands as its name in the reverse zones, `1.0.0.127.in-addr.arpa`. */
export function serverNameOf(identifier: string): string {
  if (isIP(identifier) === 4) return `${identifier.split('.').reverse().join('.')}.in-addr.arpa`;
  if (isIP(identifier) !== 6) return identifier;
  const [head = '', tail] = identifier.split('::');
  const [before, after] = [groups(head), groups(tail ?? '')];
  const missing = tail === undefined ? 0 : 8 - before.length - after.length;
  const digits = [...before, ...Array<string>(missing).fill('0000'), ...after].join('');
  return `${[...digits].reverse().join('.')}.ip6.arpa`;
}

function groups(part: string): string[] {
  return part === '' ? [] : part.split(':').map((group) => group.padStart(4, '0'));
}
