// The TLS client of this benchmark's own loads: the same suite and group for all, so that all encrypt alike.
import { connect as connectTcp } from 'node:net';
import { connect as connectTls, createSecureContext, type TLSSocket } from 'node:tls';

export const SUITE = 'TLS_AES_128_GCM_SHA256';
export const GROUP = 'X25519';

const context = createSecureContext({ minVersion: 'TLSv1.3', ciphers: SUITE, ecdhCurve: GROUP });

export interface SecureOptions {
  /** Without it: a full handshake. */
  readonly session?: Buffer | undefined;
  /** Default localhost. */
  readonly servername?: string;
  /** By ALPN. Default HTTP/1.1. */
  readonly protocol?: 'http/1.1' | 'h2';
  /** Where to connect from. Default whatever the system takes. */
  readonly localAddress?: string;
}

/** Nobody has checked the certificate. */
export function connectSecurely(port: number, options: SecureOptions = {}): TLSSocket {
  const { session, servername = 'localhost', protocol = 'http/1.1', localAddress } = options;
  const from = localAddress === undefined ? {} : { localAddress };
  const socket = connectTcp({ port, host: '127.0.0.1', noDelay: true, ...from });
  socket.on('error', () => {}); // the TLS socket reports it
  return connectTls({
    socket,
    servername,
    secureContext: context,
    rejectUnauthorized: false,
    ALPNProtocols: [protocol],
    ...(session === undefined ? {} : { session }),
  });
}

export function requestText(
  path: string,
  port: number,
  connection: 'close' | 'keep-alive',
  host = 'localhost',
): string {
  return `GET ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\nConnection: ${connection}\r\n\r\n`;
}
