// Updates to the name server that most people run: BIND 9 with a key, its update policy and its own opinion of our signatures.
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { DnsLookup } from '../../../src/certs/dns/lookup.ts';
import { Rfc2136Provider } from '../../../src/certs/dns/rfc2136-provider.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { startChild } from '../../support/child.ts';
import { freePort } from '../../support/free-port.ts';
import { needsTools } from '../../support/needs-tools.ts';
import { retry } from '../../support/retry.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { findTool } from '../../support/tools.ts';

const tools = await needsTools('named');
const never = new AbortController().signal;
const fqdn = '_acme-challenge.www.example.test';
const secret = Buffer.from('a secret of 32 octets for hmac..').toString('base64');
const ALGORITHMS = ['hmac-sha1', 'hmac-sha224', 'hmac-sha256', 'hmac-sha384', 'hmac-sha512'];

suite('against BIND', tools, () => {
  test('records are added and taken away with every algorithm, and refusals are explained', async (t) => {
    const folder = await temporaryFolder(t);
    const port = await freePort();
    const keys = ALGORITHMS.map((algorithm) => `key "${algorithm}" { algorithm ${algorithm}; secret "${secret}"; };`);
    const grants = ALGORITHMS.map((algorithm) => `grant "${algorithm}" name ${fqdn}. TXT;`);
    await mkdir(join(folder, 'zones'));
    await writeFile(join(folder, 'zones/example.test'), ZONE);
    await writeFile(
      join(folder, 'named.conf'),
      `${keys.join('\n')}
      options { directory "${folder}/zones"; listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; }; recursion no;
        pid-file none; session-keyfile none; managed-keys-directory "${folder}"; };
      controls {};
      zone "example.test" { type primary; file "example.test"; update-policy { ${grants.join(' ')} }; };`,
    );
    const named = startChild({
      command: await findTool('named'),
      args: ['-g', '-4', '-c', join(folder, 'named.conf')],
    });
    t.after(() => named.stop());
    const server = `127.0.0.1:${port}`;
    const lookup = new DnsLookup({ resolvers: () => [server] });
    await retry(() => lookup.texts('example.test', never), { deadlineMs: 15_000, hopeless: () => named.ended() }).catch(
      (error) => {
        throw new Error(`${(error as Error).message}\n${named.output()}`);
      },
    );

    const provider = (algorithm: string, over: object = {}): Rfc2136Provider =>
      new Rfc2136Provider({
        server,
        zone: null,
        tsig: { name: algorithm, algorithm, secret, ...over },
        clock: systemClock,
      });
    for (const algorithm of ALGORITHMS)
      await provider(algorithm).present({ fqdn, value: `by-${algorithm}`, ttlSeconds: 60 }, never);
    assert.deepEqual((await lookup.texts(fqdn, never)).sort(), ALGORITHMS.map((algorithm) => `by-${algorithm}`).sort());
    for (const algorithm of ALGORITHMS.slice(1))
      await provider(algorithm).cleanUp({ fqdn, value: `by-${algorithm}`, ttlSeconds: 60 }, never);
    assert.deepEqual(await lookup.texts(fqdn, never), ['by-hmac-sha1']);

    const record = { fqdn, value: 'refused', ttlSeconds: 60 };
    const elsewhere = { ...record, fqdn: '_acme-challenge.other.example.test' };
    await assert.rejects(
      provider('hmac-sha256', { secret: 'b3RoZXI=' }).present(record, never),
      /BADSIG: .*another secret/,
    );
    await assert.rejects(
      provider('hmac-sha256', { name: 'unknown' }).present(record, never),
      /BADKEY: it does not know/,
    );
    await assert.rejects(provider('hmac-sha256').present(elsewhere, never), /REFUSED for zone "example\.test"/);
    const late = { now: () => Date.now() - 86_400_000 };
    const behind = new Rfc2136Provider({
      server,
      zone: null,
      tsig: { name: 'hmac-sha256', algorithm: 'hmac-sha256', secret },
      clock: late,
    });
    await assert.rejects(behind.present(record, never), /BADTIME: .*\(ours is 8\d{4} s behind\)/);
    assert.deepEqual(await lookup.texts(fqdn, never), ['by-hmac-sha1']);
  });
});

const ZONE = `$TTL 60
@ IN SOA ns hostmaster 1 3600 600 86400 60
@ IN NS ns
ns IN A 127.0.0.1
@ IN TXT "here"
`;
