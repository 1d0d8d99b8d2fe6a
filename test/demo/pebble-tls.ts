// Makes the certificate of Pebble's own TLS for docker-compose.yml: `pebble-tls.ts FOLDER NAME…` writes cert.pem and key.pem.
// Keeps what is there while it has a day left, so that a restart does not part Pebble from those who trust it.
import { X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeServerCertificate } from '../support/server-certificate.ts';

const [folder, ...names] = process.argv.slice(2);
if (folder === undefined || names.length === 0) {
  console.error('Usage: pebble-tls.ts FOLDER NAME…');
  process.exit(2);
}
const certFile = join(folder, 'cert.pem');
const present = await readFile(certFile).catch(() => null);
const validTo = present === null ? 0 : Date.parse(new X509Certificate(present).validTo);
if (validTo < Date.now() + 86_400_000) {
  const { certPem, keyPem } = await makeServerCertificate(names);
  await writeFile(join(folder, 'key.pem'), keyPem, { mode: 0o600 });
  await writeFile(certFile, certPem);
}
