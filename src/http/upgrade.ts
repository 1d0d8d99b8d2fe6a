// Which protocols a connection may be given over to (RFC 9110 section 7.8, RFC 8441), however its client asks for it.

/** `protocol`: in lower case. Never HTTP/2 (RFC 9113 section 3.1), whose tunnel would escape every rule. */
export function mayUpgradeTo(protocol: string): boolean {
  return !protocol.startsWith('h2');
}
