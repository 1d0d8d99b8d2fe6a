// Records kept by an acme-dns server (github.com/joohoi/acme-dns): names are CNAMEs to `SUBDOMAIN.…` there, and the server
// shows the two texts that were posted last. So at most two are out at once, and none is taken away but by the next.
import { PerantaraError } from '../../core/errors.ts';
import type { DnsProvider, DnsRecord } from './provider.ts';
import { callService, saidBy } from './service-call.ts';

export interface AcmeDnsProviderOptions {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly subdomain: string;
}

const SHOWN_VALUES = 2;

export class AcmeDnsProvider implements DnsProvider {
  readonly name: string;
  readonly #options: AcmeDnsProviderOptions;
  /** What CAs may still look for, and what the server shows, oldest first. */
  readonly #wanted = new Set<string>();
  #shown: readonly string[] = [];
  readonly #waiting: (() => void)[] = [];
  /** The last request: they go out one after another. */
  #last: Promise<void> = Promise.resolve();

  constructor(options: AcmeDnsProviderOptions) {
    this.#options = options;
    this.name = `acme-dns at ${new URL(options.url).host}`;
  }

  async present({ fqdn, value }: DnsRecord, signal: AbortSignal): Promise<void> {
    const { subdomain } = this.#options;
    if (!fqdn.startsWith(`${subdomain.toLowerCase()}.`)) throw this.#notDelegated(fqdn);
    while (!this.#wanted.has(value) && this.#wanted.size >= SHOWN_VALUES) await this.#turn(signal);
    this.#wanted.add(value);
    const posted = this.#last.then(() => this.#show(value, signal));
    this.#last = posted.catch(() => {});
    try {
      await posted;
    } catch (error) {
      this.#release(value);
      throw error;
    }
  }

  async cleanUp({ value }: DnsRecord): Promise<void> {
    this.#release(value);
  }

  #release(value: string): void {
    if (this.#wanted.delete(value)) this.#waiting.shift()?.();
  }

  /** Resolves when a place may be free. */
  async #turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    this.#waiting.push(resolve);
    try {
      await promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
      const place = this.#waiting.indexOf(resolve);
      if (place !== -1) this.#waiting.splice(place, 1);
    }
  }

  /** The new text pushes the oldest out: if that one is still wanted, it is posted again before. */
  async #show(value: string, signal: AbortSignal): Promise<void> {
    const oldest = this.#shown.length < SHOWN_VALUES ? undefined : this.#shown[0];
    if (oldest !== undefined && oldest !== value && this.#wanted.has(oldest)) await this.#post(oldest, signal);
    await this.#post(value, signal);
  }

  async #post(value: string, signal: AbortSignal): Promise<void> {
    const { url, user, password, subdomain } = this.#options;
    const action = `present a TXT record by ${this.name}`;
    const headers = { 'x-api-user': user, 'x-api-key': password };
    const body = { subdomain, txt: value };
    const call = {
      method: 'POST',
      url: `${url.replace(/\/+$/, '')}/update`,
      headers,
      body,
      secrets: [password],
    } as const;
    const { status, text } = await callService(action, call, signal);
    if (status !== 200) {
      const advice = status === 401 ? '; check user, password and allowed addresses of dns.acmeDns' : '';
      throw new PerantaraError(
        `cannot ${action}: it answers ${status} and says ${saidBy(text, call.secrets)}${advice}`,
        {
          code: 'dns_provider_failed',
          source: 'operator',
          retryable: status >= 500 || status === 429,
        },
      );
    }
    this.#shown = [...this.#shown, value].slice(-SHOWN_VALUES);
  }

  #notDelegated(fqdn: string): PerantaraError {
    const { subdomain, url } = this.#options;
    const target = `${subdomain}.${new URL(url).hostname}.`;
    const details = { code: 'dns_not_delegated', source: 'operator' } as const;
    const advice = `set ${fqdn}. CNAME ${target} (the fulldomain that the server gave at registration)`;
    return new PerantaraError(
      `cannot present a TXT record by ${this.name}: "${fqdn}" does not lead there; ${advice}`,
      details,
    );
  }
}
