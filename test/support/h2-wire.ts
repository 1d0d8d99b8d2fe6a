// The HTTP/2 sessions as the property tests use them: on a socket in memory, pieces of bytes in, and out what a handler or
// the senders of requests were told, and the frames that were answered.
import assert from 'node:assert/strict';
import type { OnReadOpts } from 'node:net';
import { BufferPool } from '../../src/core/buffer-pool.ts';
import { DeadlineSweep, SWEEP_INTERVAL_MS } from '../../src/core/deadlines.ts';
import type { PerantaraError } from '../../src/core/errors.ts';
import type { Handler } from '../../src/http/exchange.ts';
import { ExchangeFeed } from '../../src/http/exchange-feed.ts';
import type { OutgoingRequest } from '../../src/http/outgoing-request.ts';
import { ClientSession } from '../../src/http2/client-session.ts';
import { ServerSession } from '../../src/http2/server-session.ts';
import type { StreamHost } from '../../src/http2/stream.ts';
import { TIMEOUTS } from './bare-proxy.ts';
import { FrameCutter, PREFACE, SETTINGS, windowUpdate } from './h2-frames.ts';
import { H2Inbox } from './h2-inbox.ts';
import { H2Referee } from './h2-referee.ts';
import { H2Windows } from './h2-windows.ts';
import { ManualTurn, MemorySocket } from './memory-socket.ts';
import { RecordingSender, recordingHandler, type Served } from './recording.ts';

const LARGE_WINDOW = 2 ** 30;
/** How long a client's session is kept that has nothing to do. */
const IDLE_MS = 700_000;

/** What both kinds of sessions are made of, and what is known of either afterwards. */
class Wire {
  readonly buffers = new BufferPool();
  readonly sweep = new DeadlineSweep();
  readonly inbox: H2Inbox;
  readonly referee: H2Referee;
  /** Of what the test sends. */
  readonly windows: H2Windows;
  protected readonly socket = new MemorySocket();
  protected readonly turns = new ManualTurn();
  #output: Buffer[] = [];
  /** Of what the test sends. */
  readonly #sent = new FrameCutter();
  #prefaceLeft: number;

  constructor(side: 'client' | 'origin') {
    this.inbox = new H2Inbox(side === 'origin');
    this.referee = new H2Referee(side);
    this.windows = new H2Windows(this.inbox.frames);
    this.#prefaceLeft = side === 'client' ? PREFACE.length : 0;
  }

  protected get services() {
    return { sweep: this.sweep, turn: this.turns.turn, buffers: this.buffers };
  }

  /** Whether the session has closed its side. */
  get over(): boolean {
    return this.socket.writableEnded || this.socket.destroyed;
  }

  /** Whether nothing is to be handed in for now. */
  get paused(): boolean {
    return this.socket.isPaused();
  }

  /** Whether the other side takes what is written. */
  set takes(takes: boolean) {
    this.socket.takes = takes;
  }

  /** Lets every deadline that is at most this far away pass. */
  passTime(ms: number): void {
    this.sweep.sweep(ms + SWEEP_INTERVAL_MS);
    this.settle();
  }

  /** Hands in some bytes, and lets happen what follows. */
  feed(bytes: Buffer): void {
    const behind = bytes.subarray(Math.min(bytes.length, this.#prefaceLeft));
    this.#prefaceLeft -= bytes.length - behind.length;
    for (const frame of this.#sent.push(behind)) {
      this.referee.sent(frame);
      if (frame.type === SETTINGS && frame.flags === 0) this.inbox.settingsSent(frame);
    }
    if (!this.socket.destroyed) this.deliver(bytes);
    this.settle();
  }

  /** Hands in the last bytes, with the end of the other side in the same turn. */
  feedAndFinish(bytes: Buffer): void {
    this.deliver(bytes);
    this.socket.emit('end');
    this.settle();
  }

  protected deliver(bytes: Buffer): void {
    this.socket.feed(bytes, this.buffers);
  }

  /** Takes what has been written, once, and lets happen what follows. */
  takeOnce(): void {
    this.socket.takes = true;
    this.socket.take();
    this.socket.takes = false;
    this.settle();
  }

  /** Ends turns until nothing happens any more. */
  settle(): void {
    for (let turns = 0; ; turns++) {
      assert.ok(turns < 10_000, 'it comes to rest');
      const isBusy = this.turns.run();
      if (!this.socket.take() && !isBusy) break;
    }
    const output = this.socket.output;
    this.#output.push(output);
    for (const frame of this.inbox.push(output)) this.referee.came(frame);
  }

  /** What has been written since this was last asked. */
  get output(): Buffer {
    const output = Buffer.concat(this.#output);
    this.#output = [];
    return output;
  }

  /** Opens the windows of the connection and of these streams as far as they go. */
  openWindows(streams: Iterable<number>): void {
    this.feed(Buffer.concat([0, ...streams].map((id) => windowUpdate(id, LARGE_WINDOW))));
  }

  /** Cuts the connection, and checks that nothing of it is left. */
  cut(hosts: Iterable<StreamHost>): void {
    this.socket.destroy();
    this.settle();
    assert.equal(this.sweep.size, 0, 'no deadline is left');
    for (const { pump, grownBytes } of hosts) assert.deepEqual([pump.queuedBytes, grownBytes, pump.idle], [0, 0, true]);
  }

  /** Lets deadlines pass, one after another, until the session has gone by itself. */
  passAllTime(): void {
    for (let waits = 0; this.sweep.size > 0; waits++) {
      assert.ok(waits < 30, 'a session ends when nothing comes');
      this.sweep.sweep(10_000_000);
      this.settle();
    }
  }
}

/** Carries what each writes to the other, until neither has more to say. */
export function converse(client: ClientWire, server: ServerWire): void {
  for (let rounds = 0, isBusy = true; isBusy; rounds++) {
    assert.ok(rounds < 1_000, 'they come to an end');
    const [asked, answered] = [client.output, server.output];
    isBusy = asked.length + answered.length > 0;
    if (asked.length > 0) server.feed(asked);
    if (answered.length > 0) client.feed(answered);
  }
}

/** A server's session, whose handler does what paths say (recording.ts). */
export class ServerWire extends Wire {
  readonly exchanges: Served[] = [];
  readonly faults: PerantaraError[] = [];
  closed = 0;
  readonly session: ServerSession;

  constructor(handler: Handler = recordingHandler((served) => this.exchanges.push(served))) {
    super('client');
    this.session = new ServerSession(
      this.socket.socket,
      { address: '127.0.0.1', port: 1, servername: null, tls: null },
      {
        ...this.services,
        scheme: 'https',
        handler,
        records: new ExchangeFeed(),
        timeouts: TIMEOUTS,
        onFault: (error) => this.faults.push(error),
        onClose: () => this.closed++,
      },
    );
    this.session.start();
    this.settle();
  }

  override settle(): void {
    super.settle();
    // Those that paused go on behind the turn.
    while (this.exchanges.some((served) => served.goOn())) super.settle();
  }

  override cut(): void {
    super.cut(this.exchanges.map(({ host }) => host));
  }
}

/** A client's session with one request on its way for each of `requests`. */
export class ClientWire extends Wire {
  readonly senders: RecordingSender[] = [];
  readonly session: ClientSession;
  readonly told: string[] = [];
  #read: OnReadOpts['callback'] = () => true;

  constructor(requests: readonly OutgoingRequest[]) {
    super('origin');
    const owner = {
      onCapacity: () => {},
      onIdle: (session: ClientSession) => {
        this.told.push('idle');
        session.deadlineAt = this.sweep.after(IDLE_MS);
      },
      onClosed: () => void this.told.push('closed'),
    };
    const open = ({ callback }: OnReadOpts) => {
      this.#read = callback;
      return this.socket.socket;
    };
    this.session = new ClientSession(open, owner, { ...this.services, scheme: 'http', timeouts: TIMEOUTS });
    for (const request of requests) {
      const sender = new RecordingSender(this.session.openStream());
      this.senders.push(sender);
      sender.start(request);
    }
    this.settle();
  }

  protected override deliver(bytes: Buffer): void {
    this.socket.feed(bytes, this.buffers, (count) => this.#read(count, this.buffers.shared));
  }

  override settle(): void {
    super.settle();
    while (this.senders.some((sender) => sender.goOn())) super.settle();
  }

  override cut(): void {
    super.cut(this.senders.map(({ host }) => host));
  }
}
