// No secret of the configuration leaves the process: held against every golden case, and against one of each kind.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { parse } from 'yaml';
import { redactedConfig } from '../../src/admin/redacted-config.ts';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { isSecret, type Path } from '../../src/config/source.ts';
import { GOLDEN_NOW, writeGoldenCertificates } from '../golden/certificates.ts';

const CASES = join(import.meta.dirname, '../golden/cases');

function shown(config: Config): string {
  return JSON.stringify(redactedConfig(config), (_name, value: unknown) =>
    typeof value === 'object' && value !== null && Symbol.iterator in value ? [...(value as Iterable<unknown>)] : value,
  );
}

/** The texts in a file that messages may not show. */
function secretsOf(value: unknown, path: Path = []): string[] {
  if (typeof value === 'string') return isSecret(path) && value.length > 3 ? [value] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => secretsOf(inner, [...path, name]));
}

describe('the configuration as it is shown', () => {
  const certificates = writeGoldenCertificates();
  after(() => rmSync(certificates, { recursive: true }));
  const env = { CERTS: certificates, NAME: 'env', EMPTY: '', NESTED: '$\u007bNAME}' };

  it('has no secret of any golden case, and no PEM text', () => {
    let secrets = 0;
    for (const name of readdirSync(CASES)) {
      const file = join(CASES, name, 'perantara.yaml');
      const result = loadConfig(file, { env, now: GOLDEN_NOW });
      if (!result.ok) continue;
      const text = shown(result.config);
      for (const secret of secretsOf(parse(readFileSync(file, 'utf8'), { logLevel: 'silent' }))) {
        if (secret.includes('$\u007b') || secret.endsWith('.p12')) continue;
        secrets++;
        assert.ok(!text.includes(secret), `${name}: ${secret}`);
      }
      assert.doesNotMatch(text, /-----BEGIN/, name);
      assert.doesNotMatch(text, /:null,"sites":null|\[object/, name);
    }
    assert.ok(secrets >= 6, `only ${secrets} secrets were looked for`);
  });

  it('hides one of each kind, and keeps what is none', () => {
    const config = {
      acme: [{ directory: 'https://user:S1@ca.example/dir', binding: { keyId: 'kid', hmacKey: 'S2' } }],
      admin: { kind: 'loopback', host: '127.0.0.1', port: 1, token: 'S3' },
      dns: { provider: { kind: 'rfc2136', server: 'a:53', tsig: { name: 'k', secret: 'S4' } } },
      onEvent: { kind: 'webhook', url: 'https://hooks.example/S5?x=S6' },
      onDemand: { ask: 'http://127.0.0.1:9000/S7' },
      hook: { program: '/bin/tell', args: ['--token', 'S8'] },
      target: { identity: { certPem: '-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----', keyPem: 'S9' } },
      other: '-----BEGIN EC PRIVATE KEY-----\nS10',
      redirect: 'https://user:S11@b.example/x',
      limit: Number.POSITIVE_INFINITY,
      sites: [{ host: 'a.example', tls: { password: 'S12' } }],
    };
    const text = shown(config as unknown as Config);
    assert.doesNotMatch(text, /S\d/);
    for (const kept of [
      '"keyId":"kid"',
      'ca.example/dir',
      'https://hooks.example/(hidden)',
      'http://127.0.0.1:9000/(hidden)',
    ])
      assert.ok(text.includes(kept), kept);
    for (const kept of ['/bin/tell', '(1 certificate)', '"limit":"off"', '"host":"a.example"', '@b.example/x'])
      assert.ok(text.includes(kept), kept);
  });
});
