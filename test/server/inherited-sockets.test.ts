// Which address of the configuration gets which of the sockets that were passed in.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ListenAddress } from '../../src/config/config.ts';
import { parseListenEntry } from '../../src/config/listen.ts';
import { InheritedSockets, parsePassed } from '../../src/server/inherited-sockets.ts';

function address(written: string): ListenAddress {
  const parsed = parseListenEntry(written);
  assert.ok(parsed.ok);
  return { ...parsed.value, proxyProtocol: false, h2c: false, position: '' };
}

function sockets(...bound: readonly string[]): InheritedSockets {
  return new InheritedSockets(
    bound.map((written, i) => {
      const { host, port } = address(written);
      return { fd: 3 + i, name: null, address: host!, port };
    }),
  );
}

describe('LISTEN_FDS', () => {
  const passed = (count: string | undefined, names?: string, pid = '7') => parsePassed({ pid, count, names }, 7);
  const fds = (result: ReturnType<typeof parsePassed>) => result.descriptors.map(({ fd, name }) => `${fd} ${name}`);

  it('counts descriptors from 3 on, with the names that belong to them', () => {
    assert.deepEqual(fds(passed('2', 'http:https')), ['3 http', '4 https']);
    assert.deepEqual(fds(passed('2')), ['3 null', '4 null']);
  });

  it('names none when the names are not as many', () => {
    assert.deepEqual(fds(passed('2', 'http')), ['3 null', '4 null']);
    assert.deepEqual(fds(passed('1', '')), ['3 null']);
  });

  it('is not for us without our process id', () => {
    for (const pid of ['8', '', '07', ' 7'])
      assert.deepEqual(passed('2', undefined, pid), { descriptors: [], problem: null });
    assert.deepEqual(parsePassed({ pid: undefined, count: '2', names: undefined }, 7).descriptors, []);
    assert.deepEqual(passed(undefined), { descriptors: [], problem: null });
  });

  it('is refused when it is no number, or one that no process can have open', () => {
    for (const count of ['-1', '1.5', 'x', '', '0x3', '1e3', '1025', '99999999999999999999', 'y'.repeat(1e6)]) {
      const { descriptors, problem } = passed(count);
      assert.deepEqual(descriptors, []);
      assert.match(problem ?? '', /^cannot use LISTEN_FDS: ".{0,32}" is no number up to 1024$/);
    }
    assert.equal(passed('0').problem, null);
  });
});

describe('an address', () => {
  it('gets the socket that is bound to it', () => {
    const passed = sockets('127.0.0.1:80', '127.0.0.1:443', '[::1]:443', '10.0.0.1:443');
    assert.equal(passed.fdFor(address('127.0.0.1:443')), 4);
    assert.equal(passed.fdFor(address('[0:0::1]:443')), 5);
    assert.equal(passed.fdFor(address('127.0.0.1:80')), 3);
    assert.equal(passed.fdFor(address('127.0.0.2:80')), null);
    assert.equal(passed.fdFor(address('127.0.0.1:8443')), null);
  });

  it('without a host gets that of all addresses, IPv6 with IPv4 before IPv4 alone, and no other', () => {
    assert.equal(sockets('0.0.0.0:443', '[::]:443').fdFor(address(':443')), 4);
    assert.equal(sockets('0.0.0.0:443').fdFor(address('443')), 3);
    assert.equal(sockets('127.0.0.1:443').fdFor(address(':443')), null);
  });

  it('of one family does not get that of the other', () => {
    const passed = sockets('0.0.0.0:443', '[::]:443');
    assert.equal(passed.fdFor(address('0.0.0.0:443')), 3);
    assert.equal(passed.fdFor(address('[::]:443')), 4);
  });

  it('by name gets none, but for localhost: names may lead anywhere', () => {
    const passed = sockets('[::1]:443', '127.0.0.1:80');
    assert.equal(passed.fdFor(address('localhost:443')), 3);
    assert.equal(passed.fdFor(address('localhost:80')), 4);
    assert.equal(passed.fdFor(address('app.example.com:443')), null);
  });

  it('of any port gets none', () => {
    assert.equal(sockets('127.0.0.1:443').fdFor(address('127.0.0.1:0')), null);
  });
});

it('sockets that no address is for are told', () => {
  const passed = sockets('127.0.0.1:80', '127.0.0.1:443', '127.0.0.1:8443');
  const listen = { http: [address('127.0.0.1:80')], https: [address(':443')], redirectPort: null };
  assert.deepEqual(
    passed.unused(listen).map(({ fd }) => fd),
    [4, 5],
  );
});
