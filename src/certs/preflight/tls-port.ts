// TLS-ALPN-01 (RFC 8737): whether port 443 of an address is that of this Perantara. The judge, and who goes there.
import { isIP, isIPv6 } from 'node:net';
import { connect } from 'node:tls';
import { codeOf, messageOf } from '../../core/errors.ts';
import { type Finding, finding } from './finding.ts';

export interface TlsVisit {
  readonly address: string;
  readonly outcome: /** `fingerprint`: SHA-256 of the certificate that was shown, or null when it was refused by an alert, as is right without one. */
  { readonly kind: 'tls'; readonly fingerprint: string | null } | { readonly kind: 'silent'; readonly reason: string };
}

/** `known`: fingerprints of the certificates that are stored here for the name. */
export function judgeTls(
  visits: readonly TlsVisit[],
  known: readonly string[],
  own: readonly string[],
): readonly Finding[] {
  return visits.map(({ address, outcome }) => {
    const place = `port 443 of ${isIPv6(address) ? `[${address}]` : address}`;
    if (outcome.kind === 'silent')
      return finding(
        'tls-alpn-01',
        own.includes(address) ? 'problem' : 'unknown',
        `${place} cannot be reached from here: ${outcome.reason}`,
        'start Perantara if it does not run; let port 443 pass in the firewall, and forward it to listen.https',
      );
    if (outcome.fingerprint === null)
      return finding('tls-alpn-01', 'ok', `${place} speaks TLS and has no certificate for it yet`);
    if (known.includes(outcome.fingerprint))
      return finding('tls-alpn-01', 'ok', `${place} shows the certificate stored here`);
    return finding(
      'tls-alpn-01',
      'warning',
      `${place} shows a certificate that is not stored here`,
      'if something else ends TLS there, it must pass the protocol "acme-tls/1" through to Perantara',
    );
  });
}

/** Never rejects. */
export function visitTls(name: string, address: string, port: number, timeoutMs: number): Promise<TlsVisit> {
  return new Promise((resolve) => {
    const servername = isIP(name) === 0 ? name.replace(/^\*\./, 'any.') : '';
    const socket = connect({ host: address, port, servername, rejectUnauthorized: false });
    const end = (outcome: TlsVisit['outcome']): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ address, outcome });
    };
    const timer = setTimeout(
      () => end({ kind: 'silent', reason: `no answer within ${timeoutMs / 1_000} s` }),
      timeoutMs,
    );
    socket.on('secureConnect', () =>
      end({ kind: 'tls', fingerprint: socket.getPeerCertificate().fingerprint256 ?? null }),
    );
    socket.on('error', (error) => {
      // An alert (unrecognized_name, …) is TLS too.
      if (/ALERT/.test(codeOf(error))) end({ kind: 'tls', fingerprint: null });
      else
        end({
          kind: 'silent',
          reason: codeOf(error) === 'ECONNREFUSED' ? 'the connection is refused' : messageOf(error),
        });
    });
  });
}
