// Listening on a loopback address for the admin endpoint.

import type { AddressInfo, Server } from 'node:net';
import type { AdminConfig } from '../config/config.ts';
import { uriHost } from '../core/address.ts';
import { codeOf, messageOf, PerantaraError } from '../core/errors.ts';

/** Resolves with the port; rejects with PerantaraError `admin_failed`. */
export async function listenOnLoopback(
  server: Server,
  { host, port, position }: Extract<AdminConfig, { kind: 'loopback' }>,
): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen({ host, port, exclusive: true }, resolve);
  try {
    await promise;
  } catch (cause) {
    const why = codeOf(cause) === 'EADDRINUSE' ? 'the port is in use by another program' : messageOf(cause);
    const message = `${position}: cannot open the admin endpoint on "${showLoopback(host, port)}": ${why}`;
    throw new PerantaraError(message, { code: 'admin_failed', source: 'operator', cause });
  } finally {
    server.off('error', reject);
  }
  return (server.address() as AddressInfo).port;
}

/** `127.0.0.1:2019` or `[::1]:2019` */
export function showLoopback(host: string, port: number): string {
  return `${uriHost(host)}:${port}`;
}
