// One HTTP request to a service that keeps DNS records: JSON there, JSON or text back. Follows no redirect, since what is
// sent opens a zone; says in its errors neither that nor more of an address than its host.
import { messageOf, PerantaraError } from '../../core/errors.ts';
import { printable } from '../../core/printable.ts';

export interface ServiceCall {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Never to be seen in a message. */
  readonly secrets: readonly string[];
}

export interface ServiceAnswer {
  readonly status: number;
  /** As it came. */
  readonly text: string;
  /** The parsed body, or null when it is no JSON. */
  readonly json: unknown;
}

const MAX_BODY_BYTES = 1024 * 1024;
const SHOWN_CHARS = 300;

/** `action` completes `cannot …`. Rejects with `dns_provider_unreachable`, or the signal's reason; any status is an answer. */
export async function callService(action: string, call: ServiceCall, signal: AbortSignal): Promise<ServiceAnswer> {
  const { method, headers } = call;
  try {
    const response = await fetch(call.url, {
      method,
      redirect: 'manual',
      signal,
      headers: { accept: 'application/json', ...headers, ...(call.body === undefined ? {} : JSON_BODY) },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
    });
    const text = await bodyOf(response);
    return { status: response.status, text, json: parsed(text) };
  } catch (error) {
    signal.throwIfAborted();
    const { cause } = error as { readonly cause?: unknown };
    const state = `${new URL(call.url).host} is unreachable (${without(call.secrets, messageOf(cause ?? error))})`;
    throw new PerantaraError(`cannot ${action}: ${state}; check its address under dns in the configuration`, {
      code: 'dns_provider_unreachable',
      source: 'operator',
      retryable: true,
      // Without a cause of its own it is about what was to be sent, and may quote it.
      ...(cause === undefined ? {} : { cause }),
    });
  }
}

const JSON_BODY = { 'content-type': 'application/json' } as const;

async function bodyOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new Error(`its answer is longer than ${MAX_BODY_BYTES} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** What a service said, safe to print and without the secrets, in quotes; or that it said nothing. */
export function saidBy(text: string, secrets: readonly string[]): string {
  const clean = without(secrets, text.trim());
  return clean === '' ? 'nothing' : `"${printable(clean).slice(0, SHOWN_CHARS)}"`;
}

function without(secrets: readonly string[], text: string): string {
  const known = secrets.filter((secret) => secret !== '');
  return known.reduce((clean, secret) => clean.replaceAll(secret, '…'), text);
}
