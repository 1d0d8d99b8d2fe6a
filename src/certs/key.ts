// Private keys, made natively and off the event loop: an RSA key takes seconds.
import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import type { KeyType } from '../config/config.ts';

const generate = promisify(generateKeyPair);

/** A new private key as PKCS#8 PEM. P-256 (ES256 of RFC 7518) is what every CA and client takes. */
export async function generateKey(type: KeyType = 'p256'): Promise<string> {
  const { privateKey } = await (type === 'rsa2048' || type === 'rsa4096'
    ? generate('rsa', { modulusLength: type === 'rsa2048' ? 2048 : 4096 })
    : generate('ec', { namedCurve: type === 'p256' ? 'P-256' : 'P-384' }));
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}
