// Upstreams that say what they must not (RFC 9112 sections 2.2, 5, 6.3; hostile-inputs 3.2 item 16). See upstream-fault.ts
// for what is checked in every case besides what the client got.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { request } from '../support/chain.ts';
import type { Peer } from '../support/peer.ts';
import { afterFault } from './upstream-fault.ts';

const HEAD = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${HEAD}Transfer-Encoding: chunked\r\n\r\n`;

const before: Readonly<Record<string, (peer: Peer) => unknown>> = {
  'sends two lengths': (peer) => peer.send(`${HEAD}Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc`),
  'sends the same length twice': (peer) => peer.send(`${HEAD}Content-Length: 2\r\nContent-Length: 2\r\n\r\nab`),
  'sends a length that is no number': (peer) => peer.send(`${HEAD}Content-Length: 0x2\r\n\r\nab`),
  'sends length and chunked': (peer) =>
    peer.send(`${HEAD}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`),
  'sends an unknown coding': (peer) => peer.send(`${HEAD}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`),
  'sends chunked in HTTP/1.0': (peer) => peer.send('HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
  'speaks TLS': (peer) => peer.send('\x15\x03\x01\x00\x02\x02\x0a garbage garbage'),
  'speaks HTTP/2': (peer) => peer.send('\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80'),
  'speaks SMTP': (peer) => peer.send('220 mail.example ESMTP\r\n'),
  'sends HTML without a head': (peer) => peer.send('<html><body>hello there</body></html>'),
  'sends NUL in a field': (peer) => peer.send(`${HEAD}A: b\x00\r\nContent-Length: 0\r\n\r\n`),
  'sends bare line feeds': (peer) => peer.send('HTTP/1.1 200 OK\nContent-Length: 0\n\n'),
  'folds a field': (peer) => peer.send(`${HEAD}A: b\r\n c\r\nContent-Length: 0\r\n\r\n`),
  'sends an endless head': (peer) => peer.send(HEAD, `A: ${'x'.repeat(10 * 1024 * 1024)}`).catch(() => {}),
  'sends too many fields': (peer) => peer.send(`${HEAD}${'a: b\r\n'.repeat(5_000)}\r\n`),
  'floods interim responses': (peer) => peer.send('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(10_000)).catch(() => {}),
  'switches protocols unasked': (peer) => peer.send('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'),
};

for (const [what, onRequest] of Object.entries(before)) {
  test(`an upstream that ${what} is 502, and the next request gets its own answer`, async (t) => {
    assert.equal((await afterFault(t, { onRequest })).answer?.status, 502);
  });
}

test('an upstream that speaks first, before it is asked, is 502', async (t) => {
  const { answer } = await afterFault(t, { onConnection: (peer) => peer.send('SSH-2.0-OpenSSH_10.0\r\n') });
  assert.equal(answer?.status, 502);
});

const during: Readonly<Record<string, string>> = {
  'sends a malformed chunk size': `${CHUNKED}5\r\nshort\r\nxyz\r\n`,
  'sends a chunk with a bare line feed': `${CHUNKED}5\r\nshort\r\n2\nab\r\n0\r\n\r\n`,
  'sends a chunk longer than it says': `${CHUNKED}5\r\nshorter\r\n0\r\n\r\n`,
  'sends malformed trailers': `${CHUNKED}5\r\nshort\r\n0\r\nA : b\r\n\r\n`,
};

for (const [what, says] of Object.entries(during)) {
  test(`when an upstream ${what}, the client can tell that the response is not whole`, async (t) => {
    const { answer, text } = await afterFault(t, { onRequest: (peer) => peer.send(says) });
    assert.equal(answer, null);
    assert.doesNotMatch(text, /0\r\n\r\n$/);
    assert.match(text, /^$|^HTTP\/1\.1 200 OK/);
  });
}

test('an upstream that breaks off a large upload is 502', async (t) => {
  const sends = request('/bad', ['Content-Length: 1000000'], 'POST');
  const { answer } = await afterFault(t, { sends, onRequest: (peer) => peer.reset() });
  assert.equal(answer?.status, 502);
});
