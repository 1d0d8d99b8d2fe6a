// What is counted of client connections before there is a request on them: accepted, refused, open, and their TLS handshakes.
import type { TlsFacts } from '../../http/exchange.ts';
import { type FigureTable, tableOf } from './figure-table.ts';

export type ListenerKind = 'http' | 'https';

/** Why a connection was closed before anything was read from it, or while its PROXY header was. */
export type RefusalReason = 'too_many' | 'untrusted_proxy' | 'proxy_header';

/**
 * Why a handshake came to nothing: `unknown_name`: there is no certificate for what was asked for, or none yet; `too_slow`;
 * `client_gone`: left without a word; `http`: the client speaks plain HTTP; `failed`: no common version or cipher, a client
 * that does not trust the certificate, bytes that are no TLS.
 */
export type HandshakeFailure = 'unknown_name' | 'too_slow' | 'client_gone' | 'http' | 'failed';

const KINDS: readonly ListenerKind[] = ['http', 'https'];
const REFUSALS: readonly RefusalReason[] = ['too_many', 'untrusted_proxy', 'proxy_header'];
const FAILURES: readonly HandshakeFailure[] = ['unknown_name', 'too_slow', 'client_gone', 'http', 'failed'];

export class ConnectionFigures {
  readonly #accepted = zeros(KINDS);
  readonly #refused = new Map(KINDS.map((kind) => [kind, zeros(REFUSALS)]));
  readonly #open = zeros(KINDS);
  /** By version, whole and resumed. Node names four versions at most. */
  readonly #handshakes = new Map<string, [whole: number, resumed: number]>();
  readonly #handshakeFailures = zeros(FAILURES);

  /** A socket was accepted. */
  accepted(kind: ListenerKind): void {
    add(this.#accepted, kind, 1);
  }

  refused(kind: ListenerKind, reason: RefusalReason): void {
    add(this.#refused.get(kind)!, reason, 1);
  }

  opened(kind: ListenerKind): void {
    add(this.#open, kind, 1);
  }

  /** Each that was opened, once. */
  closed(kind: ListenerKind): void {
    add(this.#open, kind, -1);
  }

  secured({ version, resumed }: TlsFacts): void {
    const counts = this.#handshakes.get(version) ?? [0, 0];
    counts[resumed ? 1 : 0]++;
    this.#handshakes.set(version, counts);
  }

  handshakeFailed(reason: HandshakeFailure): void {
    add(this.#handshakeFailures, reason, 1);
  }

  get acceptedTable(): FigureTable {
    return tableBy(this.#accepted);
  }

  get refusedTable(): FigureTable {
    const rows = [...this.#refused].flatMap(([kind, counts]) =>
      [...counts].map(([reason, count]) => ({ labels: [kind, reason], values: [count] })),
    );
    return tableOf(rows);
  }

  get openTable(): FigureTable {
    return tableBy(this.#open);
  }

  get handshakeTable(): FigureTable {
    const rows = [...this.#handshakes].flatMap(([version, [whole, resumed]]) => [
      { labels: [version, 'false'], values: [whole] },
      { labels: [version, 'true'], values: [resumed] },
    ]);
    return tableOf(rows);
  }

  get handshakeFailureTable(): FigureTable {
    return tableBy(this.#handshakeFailures);
  }
}

function zeros<K extends string>(keys: readonly K[]): Map<K, number> {
  return new Map(keys.map((key) => [key, 0]));
}

function add<K>(counts: Map<K, number>, key: K, more: number): void {
  counts.set(key, counts.get(key)! + more);
}

function tableBy(counts: ReadonlyMap<string, number>): FigureTable {
  return tableOf([...counts].map(([label, count]) => ({ labels: [label], values: [count] })));
}
