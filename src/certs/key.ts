// Private keys: P-256 (RFC 7518 ES256, the key type every CA and client takes), made natively and off the event loop.
import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';

const generate = promisify(generateKeyPair);

/** A new P-256 private key as PKCS#8 PEM. */
export async function generateKey(): Promise<string> {
  const { privateKey } = await generate('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}
