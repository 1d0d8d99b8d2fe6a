// Workers in processes of their own: what they share, and what becomes of requests when one of them ends.
import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { request } from '../support/chain.ts';
import { startCrewChain } from '../support/crew-rig.ts';
import { ok } from '../support/origin.ts';
import { connectSecure, type Peer } from '../support/peer.ts';
import { retry } from '../support/retry.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const WITHIN = { deadlineMs: 30_000 };

async function answered(client: Peer, body = 'hello'): Promise<void> {
  await client.send(request());
  assert.equal((await client.message()).body, body);
}

suite('workers', () => {
  test('share connections evenly among them', async (t) => {
    const crew = await startCrewChain(t);
    const clients = await Promise.all(Array.from({ length: 100 }, () => crew.connect()));
    for (const client of clients) await answered(client);
    const counts = (await crew.reports()).map(({ connections }) => connections);
    assert.equal(counts.length, 2);
    assert.equal(counts[0]! + counts[1]!, 100);
    // By chance: fewer than 25 on one side come once in ten million times.
    assert.ok(Math.min(...counts) >= 25, counts.join());
  });

  test('resume each other’s sessions, also after a new ticket key, and a worker that comes later does', async (t) => {
    const crew = await startCrewChain(t);
    const [first, second] = await crew.landOnTwo();
    const socket = first.client.socket as TLSSocket;
    await answered(first.client);
    const ticket = socket.getSession()!;
    const resumedOn = async (pid: number): Promise<boolean> => {
      for (let i = 0; i < 40; i++) {
        const landed = await crew.land({ session: ticket });
        if (landed.pid === pid) return (landed.client.socket as TLSSocket).isSessionReused();
      }
      throw new Error(`no connection came to ${pid}`);
    };
    assert.equal(await resumedOn(second.pid), true);
    crew.server.rotateTicketKeys();
    await crew.reports(); // comes after the key
    assert.equal(await resumedOn(second.pid), true);
    process.kill(second.pid, 'SIGKILL');
    const next = (await crew.replaced(second.pid)).find((pid) => pid !== first.pid)!;
    assert.equal(await resumedOn(next), true);
  });

  test('write one access log, a line for each exchange', async (t) => {
    const folder = await temporaryFolder(t);
    const file = join(folder, 'access.log');
    const crew = await startCrewChain(t, { config: { log: { access: { output: file } } } });
    const clients = await Promise.all(Array.from({ length: 20 }, () => crew.connect()));
    await Promise.all(
      clients.map(async (client) => {
        for (let i = 0; i < 20; i++) await answered(client);
      }),
    );
    await crew.server.close();
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    assert.equal(lines.length, 400);
    for (const line of lines) assert.equal(JSON.parse(line).status, 200);
  });

  test('that are told to stop finish what is under way, and are gone then', async (t) => {
    const crew = await startCrewChain(t, { script: () => null });
    const [first, second] = await crew.landOnTwo();
    await first.client.send(request());
    const peer = await crew.origin.connection(0);
    const closing = crew.server.close();
    assert.equal(await second.client.end(), '', 'an idle connection is closed at once');
    await peer.send(ok('late'));
    assert.equal((await first.client.message()).body, 'late');
    await closing;
    for (const pid of [first.pid, second.pid]) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  });
});

suite('a worker that ends', () => {
  test('is replaced: requests of the others go on, and nobody who comes meanwhile is turned away', async (t) => {
    const crew = await startCrewChain(t, {
      script: (asked, peer) => (asked.startLine.startsWith('GET / ') ? peer.send(ok()) : null),
    });
    const [doomed, other] = await crew.landOnTwo();
    await other.client.send(request('/slow'));
    await crew.origin.request(0);
    process.kill(doomed.pid, 'SIGKILL');
    await doomed.client.end();
    const newcomers = await Promise.all(Array.from({ length: 20 }, () => connectSecure(crew.httpsPort)));
    for (const newcomer of newcomers) {
      await answered(newcomer);
      newcomer.destroy();
    }
    await (await crew.origin.connection(0)).send(ok('slow'));
    assert.equal((await other.client.message()).body, 'slow');
    const pids = await crew.replaced(doomed.pid);
    assert.ok(pids.includes(other.pid));
    const told = crew.logged.find((line) => line.includes('another takes its place'));
    assert.match(told ?? '', new RegExp(`"pid":${doomed.pid},"how":"SIGKILL"`));
  });

  test('again and again is replaced after longer and longer, and the others get its connections', async (t) => {
    const folder = await temporaryFolder(t);
    const mark = join(folder, 'stop');
    const patience = { firstDelayMs: 200, maxDelayMs: 400 };
    const program = join(import.meta.dirname, '../support/faulty-worker.ts');
    process.env.STOP_AT_START = mark;
    const crew = await startCrewChain(t, {}, { patience, program });
    const [doomed, other] = await crew.landOnTwo();
    await writeFile(mark, '12');
    process.kill(doomed.pid, 'SIGKILL');
    const ends = (): readonly number[] =>
      crew.logged.filter((line) => line.includes('takes its place')).map((line) => JSON.parse(line).delayMs);
    await retry(async () => assert.ok(ends().length >= 4), WITHIN);
    assert.deepEqual(ends().slice(0, 4), [0, 200, 400, 400]);
    for (let i = 0; i < 20; i++) assert.equal((await crew.land()).pid, other.pid);
    await rm(mark);
    const pids = await crew.replaced(doomed.pid);
    const next = pids.find((pid) => pid !== other.pid)!;
    await retry(async () => assert.equal((await crew.land()).pid, next), { ...WITHIN, pauseMs: 0 });
  });

  test('like all others, and comes back later than they do, does not keep its share of connections waiting', async (t) => {
    const mark = join(await temporaryFolder(t), 'stop');
    const program = join(import.meta.dirname, '../support/faulty-worker.ts');
    process.env.STOP_AT_START = mark;
    const crew = await startCrewChain(t, {}, { patience: { firstDelayMs: 1_000 }, program });
    const lines = () => crew.logged.map((line) => JSON.parse(line));
    const waits = () => lines().filter(({ delayMs }) => delayMs === 1_000).length;
    const ready = () => lines().filter(({ msg, worker }) => msg === 'worker ready' && worker === 2).length;
    await writeFile(mark, '12');
    for (const pid of await crew.pids()) process.kill(pid, 'SIGKILL');
    await retry(async () => assert.equal(waits(), 2), WITHIN);
    await writeFile(mark, '1');
    await retry(async () => assert.equal(ready(), 2), WITHIN);
    for (let i = 0; i < 20; i++) {
      const client = await connectSecure(crew.httpsPort);
      await answered(client);
      client.destroy();
    }
  });

  test('after a fault of its own finishes its requests, while another takes over', async (t) => {
    const program = join(import.meta.dirname, '../support/faulty-worker.ts');
    const crew = await startCrewChain(t, { script: () => null }, { program });
    const [faulty] = await crew.landOnTwo();
    await faulty.client.send(request());
    const peer = await crew.origin.connection(0);
    process.kill(faulty.pid, 'SIGWINCH');
    await crew.replaced(faulty.pid);
    await peer.send(ok('finished'));
    assert.equal((await faulty.client.message()).body, 'finished');
    await retry(async () => assert.throws(() => process.kill(faulty.pid, 0), { code: 'ESRCH' }), WITHIN);
  });

  test('that does not answer any more is replaced', async (t) => {
    const crew = await startCrewChain(t, {}, { patience: { hungMs: 1_500 } });
    const [hung, other] = await crew.landOnTwo();
    process.kill(hung.pid, 'SIGSTOP');
    const pids = await crew.replaced(hung.pid);
    assert.ok(pids.includes(other.pid));
    await answered(other.client);
    assert.match(crew.logged.join(''), /"how":"did not answer for 1.5 s"/);
  });
});

suite('a challenge', () => {
  test('is presented when every worker knows it, and to those that come later', async (t) => {
    const crew = await startCrewChain(t);
    const [first, second] = await crew.landOnTwo();
    const { challenges } = crew.certificates;
    process.kill(second.pid, 'SIGSTOP');
    let isPresented = false;
    const presenting = challenges.present('app.localhost', 'a'.repeat(20), 'the answer').then(() => {
      isPresented = true;
    });
    const asks = `GET /.well-known/acme-challenge/${'a'.repeat(20)} HTTP/1.1\r\nHost: app.localhost\r\n\r\n`;
    await first.client.send(asks);
    assert.equal((await first.client.message()).body, 'the answer');
    assert.equal(isPresented, false);
    process.kill(second.pid, 'SIGCONT');
    await presenting;
    await second.client.send(asks);
    assert.equal((await second.client.message()).body, 'the answer');
    process.kill(first.pid, 'SIGKILL');
    await crew.replaced(first.pid);
    for (const [{ client }] of [await crew.landOnTwo()]) {
      await client.send(asks);
      assert.equal((await client.message()).body, 'the answer');
    }
    await challenges.cleanUp('app.localhost', 'a'.repeat(20));
    await second.client.send(asks);
    assert.equal((await second.client.message()).status, 404);
  });
});
