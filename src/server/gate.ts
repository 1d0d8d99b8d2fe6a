// The first look at an accepted socket: who is it really (PROXY protocol), and is there room for it. Nothing is
// answered here: whoever is not welcome is cut off before it costs anything.
import { isIPv6, type Socket } from 'node:net';
import { normalizeAddress } from '../core/address.ts';
import type { DeadlineSweep } from '../core/deadlines.ts';
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { TrustedProxies } from '../http/trusted-proxies.ts';
import type { RefusalReason } from '../observe/metrics/connection-figures.ts';
import type { ConnectionLimiter } from './connection-limiter.ts';
import { OpeningBytes } from './opening-bytes.ts';
import { parseProxyHeader } from './proxy-protocol.ts';

/** The client as far as the network tells. */
export interface Peer {
  /** In normal form. */
  readonly address: string;
  readonly port: number;
}

/** The same limits in other processes: whether there is room, one of them knows for all. */
export interface SharedAdmission {
  /** Whether it is to be asked about those that come from now on. */
  readonly isAsked: boolean;
  /** Counts the connection, unless there is no room. Never rejects. What was admitted must leave. */
  admit(address: string): Promise<boolean>;
  leave(address: string): void;
}

/** What it has may change; each connection looks anew. */
export interface GateOptions {
  readonly limiter: ConnectionLimiter;
  /** null: nobody else has connections. */
  readonly together: SharedAdmission | null;
  readonly trustedProxies: TrustedProxies;
  /** How long a PROXY header may take. */
  readonly headerMs: number;
  readonly sweep: DeadlineSweep;
  readonly log: Logger;
}

/** What becomes of a socket. */
export interface Admission {
  /** It is in, as `peer`. */
  pass(socket: Socket, peer: Peer): void;
  /** It has been destroyed. */
  refused(reason: RefusalReason): void;
}

export class Gate {
  readonly #options: GateOptions;
  readonly #opening: OpeningBytes;
  /** Those about which others have been asked. */
  readonly #waiting = new Set<Socket>();

  constructor(options: GateOptions) {
    this.#options = options;
    this.#opening = new OpeningBytes(options.sweep, () => options.headerMs);
  }

  /** Passes the socket with its peer, at once or when its PROXY header has been read; or destroys it. */
  admit(socket: Socket, proxyProtocol: boolean, admission: Admission): void {
    const { remoteAddress, remotePort } = socket;
    if (remoteAddress === undefined || remotePort === undefined) {
      socket.destroy();
      return;
    }
    const peer = { address: plainAddress(remoteAddress), port: remotePort };
    if (!proxyProtocol) this.#enter(socket, peer, admission);
    else if (this.#options.trustedProxies.has(peer.address)) this.#readHeader(socket, peer, admission);
    else {
      this.#options.log.debug({ address: peer.address }, 'connection refused: not a trusted proxy');
      socket.destroy();
      admission.refused('untrusted_proxy');
    }
  }

  get pending(): number {
    return this.#opening.pending + this.#waiting.size;
  }

  /** Cuts off those whose PROXY header or admission is still awaited. */
  destroy(): void {
    this.#opening.destroy();
    for (const socket of this.#waiting) socket.destroy();
  }

  #enter(socket: Socket, peer: Peer, admission: Admission): void {
    const { limiter, together } = this.#options;
    const { address } = peer;
    if (!limiter.admit(address)) {
      this.#refuse(socket, address, admission);
      return;
    }
    const isAsked = together?.isAsked === true;
    /** By the others, once they count. */
    let isCounted = !isAsked;
    socket.once('close', () => {
      limiter.release(address);
      if (isCounted) together?.leave(address);
    });
    if (!isAsked) {
      admission.pass(socket, peer);
      return;
    }
    this.#waiting.add(socket.on('error', ignore));
    void together.admit(address).then((isWelcome) => {
      this.#waiting.delete(socket);
      isCounted = isWelcome;
      if (socket.destroyed) {
        if (isWelcome) together.leave(address);
      } else if (isWelcome) admission.pass(socket.off('error', ignore), peer);
      else this.#refuse(socket, address, admission);
    });
  }

  #refuse(socket: Socket, address: string, admission: Admission): void {
    const { limiter, log } = this.#options;
    log.debug({ address, open: limiter.open }, 'connection refused: too many');
    socket.destroy();
    admission.refused('too_many');
  }

  #readHeader(socket: Socket, sender: Peer, admission: Admission): void {
    this.#opening.read(
      socket,
      (known) => {
        const header = parseProxyHeader(known);
        return header === null ? null : { value: header.client ?? sender, end: header.end };
      },
      (peer) => this.#enter(socket, peer, admission),
      (error) => {
        const fields = { address: sender.address, reason: messageOf(error) };
        this.#options.log.debug(fields, 'connection refused: bad PROXY header');
        admission.refused('proxy_header');
      },
    );
  }
}

function ignore(): void {}

/** Without the zone, and IPv4-mapped addresses as IPv4. */
function plainAddress(address: string): string {
  if (!isIPv6(address)) return address;
  const zone = address.indexOf('%');
  return normalizeAddress(zone === -1 ? address : address.slice(0, zone));
}
