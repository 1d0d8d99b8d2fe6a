// One request to the admin endpoint of a running process. Knows no file and prints nothing.

import { request } from 'node:http';
import { uriHost } from '../core/address.ts';
import { PerantaraError } from '../core/errors.ts';

/** Where a process may answer. */
export type AdminPlace =
  | { readonly kind: 'socket'; readonly path: string }
  | { readonly kind: 'loopback'; readonly host: string; readonly port: number; readonly token: string };

export interface AdminReply {
  readonly status: number;
  /** `{}` when it is no JSON object: somebody else listens there. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** Ten thousand certificates fit well. */
const MAX_REPLY_BYTES = 64 * 1024 ** 2;

/**
 * `withinMs`: the longest silence. Rejects with the system's own error (`ENOENT`, `ECONNREFUSED`, `EACCES`, …) or with
 * PerantaraError `admin_silent` or `admin_broken`.
 */
export function askAdmin(
  place: AdminPlace,
  method: string,
  path: string,
  withinMs: number,
  content = '',
): Promise<AdminReply> {
  const { promise, resolve, reject } = Promise.withResolvers<AdminReply>();
  const where = place.kind === 'socket' ? { socketPath: place.path } : { host: place.host, port: place.port };
  const headers = {
    host: place.kind === 'socket' ? 'localhost' : hostOf(place),
    ...(place.kind === 'socket' ? {} : { authorization: `Bearer ${place.token}` }),
  };
  const sent = request({ ...where, method, path, headers, agent: false, timeout: withinMs }, (response) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_REPLY_BYTES) sent.destroy(broken('its answer is too large'));
      else chunks.push(chunk);
    });
    response.on('error', () => reject(broken('it broke its answer off')));
    response.on('end', () => resolve({ status: response.statusCode ?? 0, body: objectOf(Buffer.concat(chunks)) }));
  });
  sent.on('timeout', () => {
    const message = `cannot ask the running process: no answer within ${withinMs / 1_000} s`;
    sent.destroy(new PerantaraError(message, { code: 'admin_silent', source: 'internal' }));
  });
  sent.on('error', reject);
  sent.end(content);
  return promise;
}

function hostOf({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${uriHost(host)}:${port}`;
}

/** As messages name it. */
export function showPlace(place: AdminPlace): string {
  return place.kind === 'socket' ? place.path : hostOf(place);
}

function objectOf(text: Buffer): AdminReply['body'] {
  try {
    const value = JSON.parse(text.toString('utf8')) as unknown;
    return typeof value === 'object' && value !== null ? (value as AdminReply['body']) : {};
  } catch {
    return {};
  }
}

function broken(why: string): PerantaraError {
  return new PerantaraError(`cannot ask the running process: ${why}`, { code: 'admin_broken', source: 'internal' });
}
