// The certificates that prove names by TLS-ALPN-01 (RFC 8737, for IP addresses RFC 8738): self-signed, one for each
// challenge under way, shown to nobody but a validator. Never ends a handshake; server/tls-acceptor does.
import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import { isIP } from 'node:net';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import type { Clock } from '../../core/clock.ts';
import { releaseSecureContext } from '../../core/secure-context.ts';
import { generateKey } from '../key.ts';
import { mintCertificate } from '../mint.ts';
import type { ChallengeSolver, PendingChallenge } from './challenge-solver.ts';

export interface AlpnCertificatesOptions {
  /** As every site's context has them, without `cert` and `key`. */
  readonly contextOptions: SecureContextOptions;
  readonly clock: Clock;
}

const HOUR_MS = 3_600_000;

export class AlpnCertificates implements ChallengeSolver {
  readonly type = 'tls-alpn-01';
  /** Why validators cannot reach a TLS listener here, to complete `cannot prove "x": …`; null when they can. */
  unreachable: string | null = null;
  readonly #options: AlpnCertificatesOptions;
  /** By the server name that the validator sends. */
  readonly #contexts = new Map<string, SecureContext>();

  constructor(options: AlpnCertificatesOptions) {
    this.#options = options;
  }

  /** Whether any challenge is under way: listeners need not look otherwise. */
  get pending(): boolean {
    return this.#contexts.size > 0;
  }

  /** For a handshake that offers `acme-tls/1` and nothing else. Letter case is ignored. */
  resolve(servername: string): SecureContext | null {
    return this.#contexts.get(servername.toLowerCase()) ?? null;
  }

  unfit(_identifier: string, wildcard: boolean): string | null {
    if (wildcard) return 'a wildcard can be proved in the DNS alone';
    return this.unreachable;
  }

  async present({ identifier, keyAuthorization }: PendingChallenge, signal: AbortSignal): Promise<() => Promise<void>> {
    const name = serverNameOf(identifier);
    const keyPem = await generateKey();
    signal.throwIfAborted();
    const now = this.#options.clock.now();
    const key = createPrivateKey(keyPem);
    const template = {
      subject: 'ACME challenge',
      names: [identifier],
      authority: false,
      notBefore: now - HOUR_MS,
      notAfter: now + 24 * HOUR_MS,
      acmeIdentifier: createHash('sha256').update(keyAuthorization).digest(),
    };
    const cert = mintCertificate(template, createPublicKey(keyPem), { subject: template.subject, key });
    const context = createSecureContext({ ...this.#options.contextOptions, cert, key: keyPem });
    this.#contexts.set(name, context);
    return async () => {
      if (this.#contexts.get(name) === context) this.#contexts.delete(name);
      releaseSecureContext(context);
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
