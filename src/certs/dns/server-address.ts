// A name server's address as people and systems write it: `192.0.2.1`, `192.0.2.1:5353`, `[2001:db8::1]:53`, `ns.example:53`.
import { isIP, isIPv6 } from 'node:net';

export interface ServerAddress {
  /** An IP address without brackets, or a host name. */
  readonly host: string;
  readonly port: number;
}

export function readServerAddress(text: string): ServerAddress {
  if (isIP(text) !== 0) return { host: text, port: 53 };
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(text) ?? [];
  return { host: bracketed ?? plain ?? text, port: port === undefined ? 53 : Number(port) };
}

/** `192.0.2.1:53`, `[2001:db8::1]:53` */
export function showServerAddress({ host, port }: ServerAddress): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}
