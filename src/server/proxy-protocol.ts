// The PROXY protocol, versions 1 and 2 (HAProxy's specification): what a load balancer in front says about the client,
// ahead of everything else on the connection. Pure; reading from sockets is proxied-socket.ts.
import { isIPv4, isIPv6 } from 'node:net';
import { normalizeAddress } from '../core/address.ts';
import { PerantaraError } from '../core/errors.ts';
import { latin1 } from '../core/latin1.ts';

export interface ProxyHeader {
  /** The client, or null when the sender speaks for itself (LOCAL, UNKNOWN: health checks). */
  readonly client: { readonly address: string; readonly port: number } | null;
  /** Offset of the first byte after the header. */
  readonly end: number;
}

/** `PROXY TCP6 ffff:…:ffff ffff:…:ffff 65535 65535` CR LF */
const V1_BYTES = 107;
const V2_SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const V2_FIXED_BYTES = 16;
/** Address blocks are at most 216 bytes; the rest are TLVs, of which a few KiB are plenty. */
const V2_MAX_BYTES = 4 * 1024;

/** Parses the header that buf must begin with. null: not complete yet. Throws PerantaraError `bad_proxy_header`. */
export function parseProxyHeader(buf: Buffer): ProxyHeader | null {
  if (buf.length === 0) return null;
  if (buf[0] === 0x50) return parseV1(buf);
  const known = Math.min(buf.length, V2_SIGNATURE.length);
  if (V2_SIGNATURE.compare(buf, 0, known, 0, known) !== 0) throw malformed('it does not begin with one');
  return parseV2(buf);
}

function parseV1(buf: Buffer): ProxyHeader | null {
  const text = latin1(buf, 0, Math.min(buf.length, V1_BYTES));
  if (!'PROXY '.startsWith(text.slice(0, 6))) throw malformed('it does not begin with one');
  const lineEnd = text.indexOf('\r\n');
  if (lineEnd === -1) {
    if (text.length >= V1_BYTES || text.includes('\n')) throw malformed('its line does not end');
    return null;
  }
  const end = lineEnd + 2;
  const [, family, source = '', destination = '', port = '', ...more] = text.slice(0, lineEnd).split(' ');
  if (family === 'UNKNOWN') return { client: null, end };
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isIPv6 : null;
  const ports = [port, ...more];
  const isPort = (value: string): boolean => /^(0|[1-9]\d{0,4})$/.test(value) && Number(value) <= 65_535;
  if (
    isAddress === null ||
    !isAddress(source) ||
    !isAddress(destination) ||
    ports.length !== 2 ||
    !ports.every(isPort)
  ) {
    throw malformed('its line is malformed');
  }
  return { client: { address: normalizeAddress(source), port: Number(port) }, end };
}

function parseV2(buf: Buffer): ProxyHeader | null {
  if (buf.length < V2_FIXED_BYTES) return null;
  const command = buf[12]!;
  const family = buf[13]!;
  const end = V2_FIXED_BYTES + buf.readUInt16BE(14);
  if (command >> 4 !== 2 || (command & 15) > 1) throw malformed('its version or command is unknown');
  if (end > V2_MAX_BYTES) throw malformed(`it is over ${V2_MAX_BYTES} bytes`);
  if (buf.length < end) return null;
  if ((command & 15) === 0) return { client: null, end }; // LOCAL
  if (family === 0x11) return { client: readAddress(buf, end, 4), end };
  if (family === 0x21) return { client: readAddress(buf, end, 16), end };
  return { client: null, end }; // UNSPEC, unix, datagram: nothing that could be a TCP client
}

/** Source address, destination address, source port, destination port. */
function readAddress(buf: Buffer, end: number, bytes: 4 | 16): { address: string; port: number } {
  if (end < V2_FIXED_BYTES + 2 * bytes + 4) throw malformed('its addresses are cut off');
  const source = buf.subarray(V2_FIXED_BYTES, V2_FIXED_BYTES + bytes);
  const groups = Array.from({ length: bytes / 2 }, (_, i) => source.readUInt16BE(i * 2).toString(16));
  const address = bytes === 4 ? source.join('.') : normalizeAddress(groups.join(':'));
  return { address, port: buf.readUInt16BE(V2_FIXED_BYTES + 2 * bytes) };
}

function malformed(what: string): PerantaraError {
  return new PerantaraError(`cannot read PROXY header: ${what}`, { code: 'bad_proxy_header', source: 'downstream' });
}
