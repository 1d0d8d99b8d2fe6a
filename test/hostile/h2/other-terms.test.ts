// Item 25: a connection that was made for one site and asks for another (RFC 9110 section 15.5.20). Coalesced requests are
// served where both sites have the same terms of TLS, and are 421 where they have not, over both versions of HTTP.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type TLSSocket, connect as tlsConnect } from 'node:tls';
import { request } from '../../support/chain.ts';
import { openH2 } from '../../support/h2-client.ts';
import { END_STREAM } from '../../support/h2-frames.ts';
import { headers } from '../../support/h2-headers.ts';
import { makeAuthority, mint } from '../../support/minted.ts';
import { connectSecure } from '../../support/peer.ts';
import { startProxy } from '../../support/proxy-rig.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** `public` and `open` are served on the same terms, `secret` and `*.secret` each on their own. */
async function serve(t: TestContext): Promise<number> {
  const folder = await temporaryFolder(t);
  const authority = makeAuthority();
  const own = async (name: string): Promise<object> => {
    const { certPem, keyPem } = mint([name], authority);
    const files = {
      cert: join(folder, `${name.replace('*', 'any')}.pem`),
      key: join(folder, `${name.replace('*', 'any')}.key`),
    };
    await writeFile(files.cert, certPem);
    await writeFile(files.key, keyPem, { mode: 0o600 });
    return { tls: files, respond: name };
  };
  const rig = await startProxy({
    sites: {
      'public.localhost': { respond: 'public.localhost' },
      'open.localhost': { respond: 'open.localhost' },
      'secret.localhost': await own('secret.localhost'),
      '*.secret.localhost': await own('*.secret.localhost'),
    },
  });
  t.after(() => rig.stop());
  return rig.httpsPort;
}

/** Name of the connection, host asked for, and the site that answers; null: 421. */
const TABLE: readonly (readonly [sni: string, authority: string, site: string | null])[] = [
  ['public.localhost', 'public.localhost', 'public.localhost'],
  ['public.localhost', 'open.localhost', 'open.localhost'],
  ['public.localhost', 'OPEN.localhost', 'open.localhost'],
  ['public.localhost', 'secret.localhost', null],
  ['public.localhost', 'SECRET.LocalHost', null],
  ['public.localhost', 'secret.localhost.', null],
  ['public.localhost', 'secret.localhost:443', null],
  ['public.localhost', 'a.secret.localhost', null],
  ['PUBLIC.localhost', 'secret.localhost', null],
  ['PUBLIC.localhost', 'public.localhost', 'public.localhost'],
  ['secret.localhost', 'public.localhost', null],
  ['secret.localhost', 'a.secret.localhost', null],
  ['secret.localhost', 'secret.localhost.', 'secret.localhost'],
  ['a.secret.localhost', 'b.secret.localhost', '*.secret.localhost'],
  ['a.secret.localhost', 'secret.localhost', null],
  ['A.Secret.Localhost', 'secret.localhost', null],
  ['a.secret.localhost', 'public.localhost', null],
  ['public.localhost', 'nobody.localhost', null],
  ['public.localhost', '127.0.0.1', null],
  ['public.localhost', '[::1]', null],
];

const get = (id: number, authority: string): Buffer =>
  headers(
    id,
    [
      [':method', 'GET'],
      [':scheme', 'https'],
      [':path', '/'],
      [':authority', authority],
    ],
    END_STREAM,
  );

const told = (status: number, body: string): string | null => (status === 421 ? null : `${status} ${body}`);

test('a coalesced request is served where the terms are the same, 421 where they are others, and its connection is used on', async (t) => {
  const port = await serve(t);
  for (const [servername, authority, site] of TABLE) {
    const client = await openH2(t, port, { tls: { servername } });
    client.send(get(1, authority), get(3, servername.toLowerCase()));
    const { status, body } = await client.response(1);
    assert.equal(told(status, body), site === null ? null : `200 ${site}`, `${servername} asks for ${authority}`);
    assert.equal((await client.response(3)).status, 200, `${servername} asks for itself`);
    client.destroy();
  }
});

test('the same over HTTP/1.1', async (t) => {
  const port = await serve(t);
  for (const [servername, authority, site] of TABLE) {
    const client = await connectSecure(port, { servername });
    await client.send(request().replace('app.localhost', authority));
    const { status, body } = await client.message();
    assert.equal(told(status, body), site === null ? null : `200 ${site}`, `${servername} asks for ${authority}`);
    client.destroy();
  }
});

/** A session that was made for this name. */
async function sessionOf(port: number, servername: string): Promise<Buffer> {
  const socket = tlsConnect({ port, host: '127.0.0.1', servername, rejectUnauthorized: false, ALPNProtocols: ['h2'] });
  const [session] = (await once(socket, 'session')) as [Buffer];
  socket.destroy();
  return session;
}

test('a session that is resumed under another name brings none of its own terms with it', async (t) => {
  const port = await serve(t);
  for (const [from, servername, authority, site] of [
    ['secret.localhost', 'public.localhost', 'secret.localhost', null],
    ['public.localhost', 'secret.localhost', 'public.localhost', null],
    ['public.localhost', 'public.localhost', 'secret.localhost', null],
    ['secret.localhost', 'public.localhost', 'public.localhost', '200 public.localhost'],
    ['public.localhost', 'secret.localhost', 'secret.localhost', '200 secret.localhost'],
  ] as const) {
    const client = await openH2(t, port, { tls: { servername, session: await sessionOf(port, from) } });
    assert.equal((client.socket as TLSSocket).isSessionReused(), from === servername);
    client.send(get(1, authority));
    const { status, body } = await client.response(1);
    assert.equal(told(status, body), site, `a session of ${from}, resumed for ${servername}, asks for ${authority}`);
    client.destroy();
  }
});
