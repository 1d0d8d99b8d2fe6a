// TLS as OpenSSL's own client sees it: versions, resumption, ALPN, and whose certificate is shown for which name.
import { doesNotMatch, match, strictEqual } from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { needsTools } from '../support/needs-tools.ts';
import { type Perantara, startPerantara } from '../support/perantara.ts';
import { curl, openssl, perantara, type Run } from '../support/program.ts';

const SUPPLIED = 'supplied.example.org';
const REQUEST = 'GET / HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\n\r\n';
const UNRECOGNIZED_NAME = /alert number 112/;
const NO_CERTIFICATE = /no peer certificate available/;

describe('the TLS listener, asked by openssl', await needsTools('openssl', 'curl'), () => {
  let folder: string;
  let proxy: Perantara;
  let rootFile: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'perantara-tls-'));
    const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
    const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-x509'];
    const subject = ['-subj', '/CN=Supplied By Hand', '-addext', `subjectAltName=DNS:${SUPPLIED}`];
    const made = await openssl(['req', ...ec, ...subject, '-keyout', files.key, '-out', files.cert]);
    strictEqual(made.code, 0, made.text);
    const sites = {
      'app.localhost': { respond: 'app\n' },
      'exact.wild.example': { tls: 'local', respond: 'exact\n' },
      '*.wild.example': { tls: 'local', respond: 'wild\n' },
      [SUPPLIED]: { tls: files, respond: 'supplied\n' },
      '127.0.0.1': { respond: 'address\n' },
    };
    proxy = await startPerantara({ config: { sites } });
    rootFile = join(proxy.storage, 'local-ca/root.pem');
    await proxy.obtained('app.localhost', 'exact.wild.example', '*.wild.example', '127.0.0.1');
  });
  after(async () => {
    await proxy?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** s_client to the proxy, closed after the handshake, or after the answer when there is `input`. */
  const connect = (args: readonly string[], input = ''): Promise<Run> => {
    const wait = input === '' ? [] : ['-ign_eof'];
    return openssl(['s_client', '-connect', `127.0.0.1:${proxy.httpsPort}`, ...wait, ...args], { input });
  };
  const subjectAltName = async (servername: string): Promise<string> => {
    const { stdout } = await connect(['-servername', servername]);
    const { stdout: text } = await openssl(['x509', '-noout', '-ext', 'subjectAltName'], { input: stdout });
    return text.split('\n')[1]?.trim() ?? '';
  };

  for (const [flag, version] of [
    ['-tls1_2', 'TLSv1.2'],
    ['-tls1_3', 'TLSv1.3'],
  ] as const) {
    test(`${version} works with a forward-secret AEAD suite, and its chain leads to the local root`, async () => {
      const { text, code } = await connect(
        [flag, '-servername', 'app.localhost', '-CAfile', rootFile, '-verify_return_error'],
        REQUEST,
      );
      strictEqual(code, 0, text);
      match(text, new RegExp(`^New, ${version}, Cipher is (TLS_|ECDHE-)\\w`, 'm'));
      match(text, /Cipher is \S*(GCM|CHACHA20)/);
      match(text, /Verify return code: 0 \(ok\)/);
      match(text, /^HTTP\/1\.1 200 OK/m);
    });

    test(`a ${version} session is resumed`, async () => {
      const file = join(folder, `session-${version}`);
      const first = await connect([flag, '-servername', 'app.localhost', '-sess_out', file], REQUEST);
      match(first.text, /^New, /m);
      const second = await connect([flag, '-servername', 'app.localhost', '-sess_in', file], REQUEST);
      match(second.text, new RegExp(`^Reused, ${version}`, 'm'));
      match(second.text, /^HTTP\/1\.1 200 OK/m);
    });
  }

  // A ticket tells nothing about names: the name is judged again once the session is resumed. A TLS 1.2 session brings
  // its own name along (SSL_get_servername), which RFC 6066 section 3 leaves to the client to get right.
  test('a session does not open the door to a name that is not served, or to none', async () => {
    const file = join(folder, 'session-foreign');
    await connect(['-tls1_3', '-servername', 'app.localhost', '-sess_out', file], REQUEST);
    for (const name of [
      ['-servername', 'stranger.example'],
      ['-servername', 'deep.er.wild.example'],
    ]) {
      const { text } = await connect(['-tls1_3', ...name, '-sess_in', file], REQUEST);
      doesNotMatch(text, /HTTP\/1\.1/);
    }
  });

  test('TLS 1.1 is refused by an alert', async () => {
    const { text, code } = await connect(['-tls1_1', '-cipher', 'ALL:@SECLEVEL=0', '-servername', 'app.localhost']);
    strictEqual(code, 1);
    match(text, /alert protocol version.*alert number 70/);
    match(text, NO_CERTIFICATE);
  });

  test('a TLS 1.2 suite without forward secrecy is refused', async () => {
    const { text } = await connect(['-tls1_2', '-cipher', 'AES128-GCM-SHA256', '-servername', 'app.localhost']);
    match(text, /alert handshake failure/);
  });

  test('ALPN chooses h2, else http/1.1, and a client that offers neither is refused', async () => {
    const both = await connect(['-servername', 'app.localhost', '-alpn', 'http/1.1,h2']);
    match(both.text, /^ALPN protocol: h2$/m);
    const old = await connect(['-servername', 'app.localhost', '-alpn', 'spdy/3,http/1.1']);
    match(old.text, /^ALPN protocol: http\/1\.1$/m);
    const none = await connect(['-servername', 'app.localhost']);
    match(none.text, /^No ALPN negotiated$/m);
    const h3 = await connect(['-servername', 'app.localhost', '-alpn', 'h3']);
    match(h3.text, /alert no application protocol.*alert number 120/);
  });

  for (const version of ['-tls1_2', '-tls1_3']) {
    test(`an unknown name gets unrecognized_name and no certificate (${version})`, async () => {
      const { text, code } = await connect([version, '-servername', 'stranger.example']);
      strictEqual(code, 1);
      match(text, UNRECOGNIZED_NAME);
      match(text, NO_CERTIFICATE);
    });
  }

  test('no name at all gets an alert where the address is no site', async () => {
    const other = await startPerantara({ config: { sites: { 'app.localhost': { respond: 'app\n' } } } });
    try {
      await other.obtained('app.localhost');
      const { text, code } = await openssl(['s_client', '-connect', `127.0.0.1:${other.httpsPort}`, '-noservername']);
      strictEqual(code, 1);
      match(text, /SSL alert number \d+/);
      match(text, NO_CERTIFICATE);
    } finally {
      await other.stop();
    }
  });

  test('a wildcard covers one label, not two and not its own parent', async () => {
    strictEqual(await subjectAltName('a.wild.example'), 'DNS:*.wild.example');
    for (const name of ['a.b.wild.example', 'wild.example', '.wild.example'])
      match((await connect(['-servername', name])).text, NO_CERTIFICATE, name);
  });

  test('an exact name wins over a wildcard', async () => {
    strictEqual(await subjectAltName('exact.wild.example'), 'DNS:exact.wild.example');
  });

  test('upper case and a trailing dot in the name change nothing', async () => {
    strictEqual(await subjectAltName('EXACT.Wild.Example'), 'DNS:exact.wild.example');
    strictEqual(await subjectAltName('app.localhost.'), 'DNS:app.localhost');
  });

  test('a supplied certificate is served as it is', async () => {
    const { text } = await connect(['-servername', SUPPLIED, '-CAfile', join(folder, 'cert.pem')]);
    match(text, /^subject=CN = Supplied By Hand$/m);
    match(text, /Verify return code: 0 \(ok\)/);
    const url = `https://${SUPPLIED}:${proxy.httpsPort}/`;
    const resolve = `${SUPPLIED}:${proxy.httpsPort}:127.0.0.1`;
    const { stdout } = await curl(['--cacert', join(folder, 'cert.pem'), '--resolve', resolve, url]);
    strictEqual(stdout, 'supplied\n');
  });

  test('a site by IP address is served without a name, with the address in its certificate', async () => {
    const verify = ['-CAfile', rootFile, '-verify_ip', '127.0.0.1', '-verify_return_error'];
    const { text } = await connect(['-noservername', ...verify]);
    match(text, /Verify return code: 0 \(ok\)/);
    const { stdout } = await curl(['--cacert', rootFile, `https://127.0.0.1:${proxy.httpsPort}/`]);
    strictEqual(stdout, 'address\n');
  });

  test('the local root signs every local certificate, as `openssl verify` sees it', async () => {
    for (const name of ['app.localhost', 'exact.wild.example', '_wildcard.wild.example', '127.0.0.1']) {
      const file = join(proxy.storage, 'certificates/local', name, 'cert.pem');
      const { text, code } = await openssl(['verify', '-x509_strict', '-CAfile', rootFile, file]);
      strictEqual(code, 0, text);
    }
  });

  test('`perantara certs` tells local and supplied certificates apart', async () => {
    const { stdout } = await perantara(['certs', '--config', proxy.configFile]);
    match(stdout, /^app\.localhost +valid .* days .* renew in \d+ days\n {2}Perantara Local Root \w+, p256$/m);
    match(stdout, /^supplied\.example\.org +valid .* by you\n {2}Supplied By Hand, supplied, /m);
  });

  test('the log says once where the local root lies and how to trust it', () => {
    const lines = proxy.log.filter(({ msg }) => msg === 'local root certificate created');
    strictEqual(lines.length, 1);
    strictEqual(lines[0]!.file, rootFile);
    match(String(lines[0]!.trust), /curl --cacert/);
  });

  test('plain HTTP on the TLS port is told so in words', async () => {
    const { stdout } = await curl(['-i', `http://127.0.0.1:${proxy.httpsPort}/`]);
    match(stdout, /^HTTP\/1\.1 400 Bad Request\r\n/);
    match(stdout, /This port speaks HTTPS, not HTTP/);
    doesNotMatch(stdout, /\r\nserver:/i);
  });
});
