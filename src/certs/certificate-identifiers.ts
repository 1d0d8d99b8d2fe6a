// Two fields that node:crypto does not hand out as they are encoded, read from the certificate's DER (X.690, RFC 5280).

export interface CertificateIdentifiers {
  /** The serial number's content octets, with the leading zero of a number whose first bit is set. */
  readonly serial: Buffer;
  /** keyIdentifier of the authority key identifier (RFC 5280 section 4.2.1.1). */
  readonly authorityKey: Buffer;
}

interface Element {
  readonly tag: number;
  readonly content: Buffer;
}

const INTEGER = 0x02;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
/** [0] EXPLICIT version; [0] IMPLICIT keyIdentifier is primitive. */
const VERSION = 0xa0;
const KEY_IDENTIFIER = 0x80;
const EXTENSIONS = 0xa3;
/** 2.5.29.35 */
const AUTHORITY_KEY_IDENTIFIER = Buffer.from([0x55, 0x1d, 0x23]);

/** null when the certificate has no authority key identifier with a key, or cannot be read. */
export function readIdentifiers(der: Buffer): CertificateIdentifiers | null {
  try {
    const certificate = elements(der)[0]!;
    const body = elements(elements(certificate.content)[0]!.content);
    const serial = body[body[0]?.tag === VERSION ? 1 : 0];
    const list = body.find(({ tag }) => tag === EXTENSIONS);
    if (serial?.tag !== INTEGER || list === undefined) return null;
    for (const extension of elements(elements(list.content)[0]!.content)) {
      const parts = elements(extension.content);
      const isKeyId = parts[0]?.tag === OBJECT_IDENTIFIER && parts[0].content.equals(AUTHORITY_KEY_IDENTIFIER);
      const value = parts.at(-1);
      if (!isKeyId || value?.tag !== OCTET_STRING) continue;
      const key = elements(elements(value.content)[0]!.content).find(({ tag }) => tag === KEY_IDENTIFIER);
      return key === undefined ? null : { serial: serial.content, authorityKey: key.content };
    }
    return null;
  } catch {
    return null;
  }
}

/** The elements that stand one after the other. Throws RangeError when one reaches past the end. */
function elements(der: Buffer): Element[] {
  const found: Element[] = [];
  for (let at = 0; at < der.length; ) {
    const tag = der.readUInt8(at);
    const first = der.readUInt8(at + 1);
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
    const length = lengthBytes === 0 ? first & 0x7f : der.readUIntBE(at + 2, lengthBytes);
    const start = at + 2 + lengthBytes;
    if (start + length > der.length) throw new RangeError('element reaches past the end');
    found.push({ tag, content: der.subarray(start, start + length) });
    at = start + length;
  }
  return found;
}
