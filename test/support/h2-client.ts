// Connects raw HTTP/2 clients: over TLS with ALPN h2, or with prior knowledge over plain TCP.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { TestContext } from 'node:test';
import { type ConnectionOptions, connect as tlsConnect } from 'node:tls';
import { PREFACE, SETTINGS, type Setting } from './h2-frames.ts';
import { H2Peer, type Habits } from './h2-peer.ts';

export interface H2Options {
  /** Default: tls. */
  readonly carrier?: 'tls' | 'plain';
  /** Beside server name app.localhost and no verification. */
  readonly tls?: ConnectionOptions;
  /** Whether the preface's text is sent; default: true. */
  readonly preface?: boolean;
  /** What SETTINGS follow; default: an empty frame, null: none. */
  readonly settings?: readonly Setting[] | null;
  /** Whether to wait for the other side's SETTINGS and its acknowledgement; default: when preface and SETTINGS are sent. */
  readonly handshake?: boolean;
  readonly habits?: Partial<Habits>;
  /** Whether the test fails when the other side breaks the RFC in frames of its own; default: true. */
  readonly isJudged?: boolean;
}

/** A client that is connected, destroyed after the test. */
export async function openH2(t: Pick<TestContext, 'after'>, port: number, options: H2Options = {}): Promise<H2Peer> {
  const { carrier = 'tls', preface = true, settings = [], habits } = options;
  const raw = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  const defaults = { servername: 'app.localhost', rejectUnauthorized: false, ALPNProtocols: ['h2'] };
  const socket = carrier === 'plain' ? raw : tlsConnect({ socket: raw, ...defaults, ...options.tls });
  t.after(() => {
    socket.destroy();
    raw.destroy();
  });
  await once(socket, carrier === 'plain' ? 'connect' : 'secureConnect');
  const peer = new H2Peer(socket, 'client', habits);
  t.after(() => {
    if (options.isJudged !== false) assert.deepEqual(peer.referee.complaints, []);
  });
  if (preface) peer.send(PREFACE);
  if (settings !== null) peer.settings(...settings);
  if (options.handshake ?? (preface && settings !== null)) {
    await peer.until(({ type, flags }) => type === SETTINGS && flags === 0, 'SETTINGS');
    await peer.until(({ type, flags }) => type === SETTINGS && flags === 1, 'the acknowledgement of SETTINGS');
  }
  return peer;
}
