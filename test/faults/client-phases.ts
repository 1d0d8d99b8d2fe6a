// The moments of a request in which its client may leave, as data: what the client has sent by then, what it has got, and
// what is right to become of the connection to the upstream.
import { post, request } from '../support/chain.ts';
import { ok, type Script } from '../support/origin.ts';

export interface ClientPhase {
  readonly when: string;
  readonly sends: string;
  /** How the origin answers. */
  readonly script: Script;
  /** What the client has got in the end when it leaves. '' for nothing. */
  readonly got: string;
  /** What the origin has got in the end by then, as a pattern. null: it is not even asked. */
  readonly asked: RegExp | null;
  /** Whether the connection to the upstream may serve the next request. */
  readonly isKept: boolean;
}

const HALF = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf';
const CHUNK = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n';
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n';
const UPLOAD = request('/', ['Content-Length: 100'], 'POST');
const EXPECTING = request('/', ['Content-Length: 100', 'Expect: 100-continue'], 'POST');
const CHUNKED = request('/', ['Transfer-Encoding: chunked'], 'POST');
const UPGRADE = request('/', ['Connection: Upgrade', 'Upgrade: x']);
const HEAD_END = /\r\n\r\n$/;

const silent: Script = () => null;
const says =
  (text: string): Script =>
  (_asked, peer) =>
    peer.send(text);

export const CLIENT_PHASES: readonly ClientPhase[] = [
  { when: 'before its head', sends: '', script: silent, got: '', asked: null, isKept: false },
  { when: 'in its head', sends: 'GET / HT', script: silent, got: '', asked: null, isKept: false },
  { when: 'before its content', sends: UPLOAD, script: silent, got: '', asked: HEAD_END, isKept: false },
  { when: 'in its content', sends: `${UPLOAD}half`, script: silent, got: '', asked: /\r\n\r\nhalf$/, isKept: false },
  {
    when: 'in its chunked content',
    sends: `${CHUNKED}5\r\nhel`,
    script: silent,
    got: '',
    asked: /\r\n\r\n3\r\nhel\r\n$/,
    isKept: false,
  },
  {
    when: 'while it waits for 100',
    sends: EXPECTING,
    script: silent,
    got: '',
    asked: HEAD_END,
    isKept: false,
  },
  {
    when: 'after 100',
    sends: EXPECTING,
    script: says('HTTP/1.1 100 Continue\r\n\r\n'),
    got: '100 Continue\r\n\r\n',
    asked: HEAD_END,
    isKept: false,
  },
  { when: 'while it waits', sends: request(), script: silent, got: '', asked: HEAD_END, isKept: false },
  {
    when: 'while it waits, after content',
    sends: post('/', 'all'),
    script: silent,
    got: '',
    asked: /all$/,
    isKept: false,
  },
  {
    when: 'while it waits, with the next request pipelined',
    sends: request() + request('/second'),
    script: silent,
    got: '',
    asked: /^GET \/ [\s\S]*\r\n\r\n$/,
    isKept: false,
  },
  { when: 'in its response', sends: request(), script: says(HALF), got: 'half', asked: HEAD_END, isKept: false },
  {
    when: 'in its chunked response',
    sends: request(),
    script: says(CHUNK),
    got: 'half\r\n',
    asked: HEAD_END,
    isKept: false,
  },
  {
    when: 'in an early response to its upload',
    sends: `${UPLOAD}half`,
    script: says(HALF),
    got: 'half',
    asked: /\r\n\r\nhalf$/,
    isKept: false,
  },
  {
    when: 'after an early response to its upload',
    sends: `${UPLOAD}half`,
    script: says(ok()),
    got: 'hello',
    asked: /\r\n\r\n(half)?$/,
    isKept: false,
  },
  { when: 'after its response', sends: request(), script: says(ok()), got: 'hello', asked: HEAD_END, isKept: true },
  { when: 'before the answer to its upgrade', sends: UPGRADE, script: silent, got: '', asked: HEAD_END, isKept: false },
  {
    when: 'in its tunnel',
    sends: UPGRADE,
    script: (_asked, peer) => {
      void peer.send(`${SWITCH}hi`);
      peer.socket.on('end', () => peer.finish());
    },
    got: 'hi',
    asked: HEAD_END,
    isKept: false,
  },
];
