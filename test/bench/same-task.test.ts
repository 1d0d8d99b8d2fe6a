import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { createSecureServer, type Http2SecureServer, type ServerHttp2Stream } from 'node:http2';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { makeAuthority, mint } from '../support/minted.ts';
import { CASES } from './cases.ts';
import { findDifferences } from './same-task.ts';

const SMALL = CASES['h2-small'];
const CALL = CASES['h2-grpc'];

interface Behaviour {
  readonly body: string;
  readonly forwarded: string;
  readonly trailers: Readonly<Record<string, string>>;
}
const GOOD: Behaviour = { body: 'x'.repeat(64), forwarded: '127.0.0.1 https 2 HTTP/1.1', trailers: {} };

describe('what is looked at before a race over HTTP/2', () => {
  const certificate = mint(['localhost'], makeAuthority());
  const { fingerprint256: fingerprint } = new X509Certificate(certificate.certPem);
  let server: Http2SecureServer;
  let behaviour = GOOD;

  before(async () => {
    server = createSecureServer({ cert: certificate.certPem, key: certificate.keyPem });
    server.on('stream', (stream: ServerHttp2Stream, headers) => answer(stream, `${headers[':path']}`, behaviour));
    const { promise, resolve } = Promise.withResolvers<void>();
    server.listen(0, '127.0.0.1', resolve);
    await promise;
  });
  after(() => void server.close());

  const differences = async (
    benchCase = SMALL,
    as: Partial<Behaviour> = {},
    expected = fingerprint,
  ): Promise<string> => {
    behaviour = { ...GOOD, ...as };
    const { port } = server.address() as AddressInfo;
    return (await findDifferences(benchCase, { port, fingerprint: expected, files: import.meta.dirname })).join('; ');
  };

  it('is content with a proxy that does what all do', async () => assert.equal(await differences(), ''));

  it('tells of another certificate', async () => {
    assert.match(await differences(SMALL, {}, 'AA:BB'), /another certificate/);
  });

  it('tells of an answer with another length', async () => {
    assert.match(await differences(SMALL, { body: 'short' }), /\/small has 5 bytes/);
  });

  it('tells of fields that are not forwarded, and of upstream connections that are not kept', async () => {
    const found = await differences(SMALL, { forwarded: '10.0.0.1 http 1 HTTP/1.1' });
    assert.match(found, /X-Forwarded-For "10\.0\.0\.1".*X-Forwarded-Proto "http".*no kept upstream connection/);
  });

  it('tells of an upstream that is spoken to in HTTP/1.1 where it was to be HTTP/2', async () => {
    assert.match(await differences({ ...SMALL, upstream: 'h2c' }), /"HTTP\/1\.1" to the upstream/);
  });

  it('tells of a call that ends without its status', async () => {
    const call = { ...CALL, http2: { ...CALL.http2!, upload: null } };
    const answered = { body: 'm'.repeat(37), forwarded: '127.0.0.1 https 2 HTTP/2.0' };
    assert.match(await differences(call, answered), /ends with grpc-status ""/);
    assert.equal(await differences(call, { ...answered, trailers: { 'grpc-status': '0' } }), '');
  });
});

describe('a server without HTTP/2', () => {
  it('is not taken for one that has it', async () => {
    const certificate = mint(['localhost'], makeAuthority());
    const server = createServer({ cert: certificate.certPem, key: certificate.keyPem });
    const { promise, resolve } = Promise.withResolvers<void>();
    server.listen(0, '127.0.0.1', resolve);
    await promise;
    try {
      const { port } = server.address() as AddressInfo;
      await assert.rejects(
        findDifferences(SMALL, { port, fingerprint: '', files: import.meta.dirname }),
        /no application protocol|does not take h2/,
      );
    } finally {
      server.close();
    }
  });
});

function answer(stream: ServerHttp2Stream, path: string, { body, forwarded, trailers }: Behaviour): void {
  stream.on('error', () => {});
  const waitForTrailers = Object.keys(trailers).length > 0;
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  stream.respond({ ':status': 200 }, { waitForTrailers });
  stream.end(path === '/headers' ? forwarded : body);
}
