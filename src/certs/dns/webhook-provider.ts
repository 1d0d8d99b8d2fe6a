// Records put by a service of the operator's, in the form of lego's `httpreq` provider: POST URL/present and URL/cleanup
// with `{ "fqdn": "_acme-challenge.example.com.", "value": "…" }`; any 2xx says that it is done.
import { PerantaraError } from '../../core/errors.ts';
import type { DnsProvider, DnsRecord } from './provider.ts';
import { callService, saidBy } from './service-call.ts';

export interface WebhookProviderOptions {
  readonly url: string;
  /** Basic authentication, or null. */
  readonly user: string | null;
  readonly password: string | null;
}

export class WebhookProvider implements DnsProvider {
  readonly name: string;
  readonly #base: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #secrets: readonly string[];

  constructor({ url, user, password }: WebhookProviderOptions) {
    const base = new URL(url);
    this.name = `webhook at ${base.host}`;
    this.#base = base.href.replace(/\/+$/, '');
    const credentials = Buffer.from(`${user ?? ''}:${password ?? ''}`).toString('base64');
    this.#headers = user === null ? {} : { authorization: `Basic ${credentials}` };
    this.#secrets = [credentials, password ?? ''];
  }

  present(record: DnsRecord, signal: AbortSignal): Promise<void> {
    return this.#post('present', record, signal);
  }

  cleanUp(record: DnsRecord, signal: AbortSignal): Promise<void> {
    return this.#post('cleanup', record, signal);
  }

  async #post(verb: 'present' | 'cleanup', { fqdn, value }: DnsRecord, signal: AbortSignal): Promise<void> {
    const action = `${verb} the TXT record at "${fqdn}" by the ${this.name}`;
    const body = { fqdn: `${fqdn}.`, value };
    const call = {
      method: 'POST',
      url: `${this.#base}/${verb}`,
      headers: this.#headers,
      body,
      secrets: this.#secrets,
    } as const;
    const { status, text } = await callService(action, call, signal);
    if (status >= 200 && status < 300) return;
    const advice = adviceFor(status);
    throw new PerantaraError(
      `cannot ${action}: it answers ${status} and says ${saidBy(text, this.#secrets)}${advice}`,
      {
        code: 'dns_provider_failed',
        source: 'operator',
        retryable: status >= 500 || status === 429,
      },
    );
  }
}

function adviceFor(status: number): string {
  if (status === 401 || status === 403) return '; check dns.webhook.user and password';
  if (status >= 300 && status < 400) return '; redirects are not followed: put the final address into dns.webhook.url';
  return status === 404 ? '; check dns.webhook.url' : '';
}
