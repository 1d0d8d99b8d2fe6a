// The request that finalizes an order (RFC 8555 section 7.4).

/** A PKCS#10 request, PEM, with all names and addresses as subjectAltName and no common name. */
export async function createCsr(names: readonly string[], keyPem: string): Promise<string> {
  const { crypto } = await import('acme-client');
  const [, csr] = await crypto.createCsr({ altNames: [...names] }, keyPem);
  return csr.toString();
}
