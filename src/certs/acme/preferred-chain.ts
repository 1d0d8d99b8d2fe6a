// Which of the chains that a CA offers clients should see (RFC 8555 section 7.4.2). Pure.
import { X509Certificate } from 'node:crypto';

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * The index of the chain that has an issuer with this common name, the nearest to the top if several have; the earlier
 * when equally near; null when none has it. `chains`: PEM, leaf first; one that cannot be read never fits.
 */
export function choosePreferredChain(chains: readonly string[], commonName: string): number | null {
  let best: { readonly index: number; readonly depth: number } | null = null;
  for (const [index, chain] of chains.entries()) {
    const depth = issuersFromTop(chain).indexOf(commonName);
    if (depth >= 0 && (best === null || depth < best.depth)) best = { index, depth };
  }
  return best?.index ?? null;
}

/** Common names of the issuers, the root's first: roots are named by what they issued, they are not in the chain. */
export function issuersFromTop(chain: string): readonly string[] {
  try {
    const certificates = (chain.match(PEM_CERTIFICATE) ?? []).map((pem) => new X509Certificate(pem));
    return certificates.reverse().map(({ issuer }) => /^CN=(.*)$/m.exec(issuer)?.[1] ?? '');
  } catch {
    return [];
  }
}
