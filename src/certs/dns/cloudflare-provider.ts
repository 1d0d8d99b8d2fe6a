// Records kept by Cloudflare (API version 4): the zone is found by name, a record is deleted by the id that it was given.
// The token needs Zone:Read and DNS:Edit.
import { PerantaraError } from '../../core/errors.ts';
import { printable } from '../../core/printable.ts';
import { ancestors } from './lookup.ts';
import type { DnsProvider, DnsRecord } from './provider.ts';
import { callService, type ServiceAnswer, type ServiceCall, saidBy } from './service-call.ts';

export interface CloudflareProviderOptions {
  readonly token: string;
  /** The zone's id (for tokens that may not list zones) or its name; null: found by the record's name. */
  readonly zone: string | null;
  /** Base URL. */
  readonly api: string;
}

/** Cloudflare's own limit, for those who do not pay for less. */
const LEAST_TTL_SECONDS = 60;
/** "An identical record already exists." */
const IDENTICAL = [81058, 81057];
/** "Record does not exist." */
const UNKNOWN_RECORD = 81044;

interface Complaint {
  readonly code: number;
  readonly message: string;
}

export class CloudflareProvider implements DnsProvider {
  readonly name = 'Cloudflare';
  readonly #options: CloudflareProviderOptions;
  /** Zone name → id. */
  readonly #zones = new Map<string, string>();

  constructor(options: CloudflareProviderOptions) {
    this.#options = options;
  }

  async present({ fqdn, value, ttlSeconds }: DnsRecord, signal: AbortSignal): Promise<void> {
    const action = `present the TXT record at "${fqdn}" by Cloudflare`;
    const zone = await this.#zoneOf(fqdn, action, signal);
    const ttl = Math.max(LEAST_TTL_SECONDS, ttlSeconds);
    const body = { type: 'TXT', name: fqdn, content: `"${value}"`, ttl };
    const answer = await this.#call(action, 'POST', `/zones/${zone}/dns_records`, signal, body);
    // Left by an attempt that was killed: the text tells that it is ours.
    if (complaintsOf(answer).some(({ code }) => IDENTICAL.includes(code))) return;
    this.#judge(action, answer);
  }

  /** Asks for the ids, so that records of a process that died are found as well. */
  async cleanUp({ fqdn, value }: DnsRecord, signal: AbortSignal): Promise<void> {
    const action = `remove the TXT record at "${fqdn}" by Cloudflare`;
    const zone = await this.#zoneOf(fqdn, action, signal);
    const search = new URLSearchParams({ type: 'TXT', 'name.exact': fqdn, per_page: '100' });
    const found = this.#judge(action, await this.#call(action, 'GET', `/zones/${zone}/dns_records?${search}`, signal));
    for (const { id, name, content } of listOf(found)) {
      if (typeof id !== 'string' || name !== fqdn || unquoted(content) !== value) continue;
      const path = `/zones/${zone}/dns_records/${encodeURIComponent(id)}`;
      const answer = await this.#call(action, 'DELETE', path, signal);
      if (answer.status !== 404 && !complaintsOf(answer).some(({ code }) => code === UNKNOWN_RECORD))
        this.#judge(action, answer);
    }
  }

  async #zoneOf(fqdn: string, action: string, signal: AbortSignal): Promise<string> {
    const { zone } = this.#options;
    if (zone !== null && !zone.includes('.')) return zone;
    const names = zone === null ? ancestors(fqdn).slice(0, -1) : [zone];
    for (const name of names) {
      const id = this.#zones.get(name) ?? (await this.#findZone(name, action, signal));
      if (id === null) continue;
      this.#zones.set(name, id);
      return id;
    }
    const state = zone === null ? `the token sees no zone of "${fqdn}"` : `the token sees no zone "${zone}"`;
    const advice = 'give it Zone:Read and DNS:Edit on that zone';
    throw new PerantaraError(`cannot ${action}: ${state}; ${advice}`, { code: 'dns_zone_unknown', source: 'operator' });
  }

  async #findZone(name: string, action: string, signal: AbortSignal): Promise<string | null> {
    const answer = await this.#call(action, 'GET', `/zones?${new URLSearchParams({ name })}`, signal);
    const zone = listOf(this.#judge(action, answer)).find((each) => each.name === name);
    return typeof zone?.id === 'string' && /^\w+$/.test(zone.id) ? zone.id : null;
  }

  #call(
    action: string,
    method: ServiceCall['method'],
    path: string,
    signal: AbortSignal,
    body?: unknown,
  ): Promise<ServiceAnswer> {
    const { token } = this.#options;
    const headers = { authorization: `Bearer ${token}` };
    const url = `${this.#options.api.replace(/\/+$/, '')}${path}`;
    return callService(
      action,
      { method, url, headers, secrets: [token], ...(body === undefined ? {} : { body }) },
      signal,
    );
  }

  /** The result, or an error in Cloudflare's own words. */
  #judge(action: string, answer: ServiceAnswer): unknown {
    const { status, text, json } = answer;
    const { success, result } = fieldsOf(json);
    if (success === true && status >= 200 && status < 300) return result;
    const complaints = complaintsOf(answer).map(({ code, message }) => `${message} (${code})`);
    const { token } = this.#options;
    const said =
      complaints.length > 0 ? printable(complaints.join('; ')).replaceAll(token, '…') : saidBy(text, [token]);
    const advice =
      status === 401 || status === 403 || status === 400 ? '; check dns.cloudflare.token and its permissions' : '';
    throw new PerantaraError(`cannot ${action}: Cloudflare answers ${status} and says: ${said}${advice}`, {
      code: 'dns_provider_failed',
      source: 'operator',
      retryable: status >= 500 || status === 429,
    });
  }
}

/** `errors` of an answer and the chains below them. */
function complaintsOf({ json }: ServiceAnswer): Complaint[] {
  const { errors } = fieldsOf(json);
  return flattened(errors, 2);
}

function flattened(errors: unknown, depth: number): Complaint[] {
  return (Array.isArray(errors) ? errors.slice(0, 10) : []).flatMap((each: unknown) => {
    const { code, message, error_chain: chain } = fieldsOf(each);
    const below = depth === 0 ? [] : flattened(chain, depth - 1);
    return [{ code: Number(code), message: String(message) }, ...below];
  });
}

function listOf(result: unknown): Readonly<Record<string, unknown>>[] {
  return Array.isArray(result) ? result.map(fieldsOf) : [];
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

/** Contents are in quotes, or not, as they were given. */
function unquoted(content: unknown): string {
  return String(content).replace(/^"(.*)"$/, '$1');
}
