// The listening sockets of the configuration in force. A change opens what is new before anything else is done, and can be
// taken back; sockets that stay are never closed, whatever else about them changes.

import type { AddressInfo, Socket } from 'node:net';
import type { ListenAddress, ListenConfig } from '../config/config.ts';
import { showAddress } from '../config/listen.ts';
import { uriHost } from '../core/address.ts';
import { codeOf, messageOf, PerantaraError } from '../core/errors.ts';
import { Listener } from './listener.ts';

export type ListenerKind = 'http' | 'https';

/** A listening socket and what is spoken on it now. */
export interface Listening {
  readonly listener: OpenSocket;
  kind: ListenerKind;
  address: ListenAddress;
}

/** What of a Listener is used here. */
export interface OpenSocket extends Pick<Listener, 'bound' | 'open'> {
  close(): unknown;
}

/** `key`: tells the listeners of a process apart, and is the same for the same address of another configuration. */
export type CreateListener = (address: ListenAddress, onSocket: (socket: Socket) => void, key: string) => OpenSocket;

/** Told of each accepted socket. */
export type Accept = (socket: Socket, listening: Listening) => void;

/** Listeners of another configuration, open beside those in force. */
export interface ListenerChange {
  /** As `https 0.0.0.0:443`, in the order of the configuration. */
  readonly opened: readonly string[];
  readonly closed: readonly string[];
  /** Takes the change; returns the former listeners, which accept no more. */
  commit(): readonly Listening[];
  /** Takes it back. */
  abandon(): void;
}

interface Wanted {
  readonly key: string;
  readonly kind: ListenerKind;
  readonly address: ListenAddress;
}

export class Listeners {
  readonly #accept: Accept;
  readonly #create: CreateListener;
  /** By `host:port`, in the order of the configuration. */
  #open: ReadonlyMap<string, Listening> = new Map();
  #isClosed = false;

  constructor(accept: Accept, create: CreateListener = (address, onSocket) => new Listener(address, onSocket)) {
    this.#accept = accept;
    this.#create = create;
  }

  /** Bound addresses, in the order of the configuration. */
  bound(kind: ListenerKind): readonly AddressInfo[] {
    return [...this.#open.values()].filter((each) => each.kind === kind).map(({ listener }) => listener.bound);
  }

  /**
   * Opens what `listen` has and is not open yet. Rejects with one PerantaraError whose message names every listener that
   * cannot be opened (`listen_*`), or `closed`; nothing has changed then.
   */
  async prepare(listen: ListenConfig): Promise<ListenerChange> {
    const before = this.#open;
    const wanted = wantedOf(listen);
    const fresh = wanted.filter(({ key }) => !before.has(key)).map((each) => this.#listening(each));
    const keys = new Set(wanted.map(({ key }) => key));
    const former = [...before].filter(([key]) => !keys.has(key)).map(([, listening]) => listening);
    const results = await Promise.allSettled(fresh.map(({ listener }) => listener.open()));
    const failures = results.flatMap((result, i) =>
      result.status === 'rejected' ? [unlessOurs(result.reason, fresh[i]!, former)] : [],
    );
    if (this.#isClosed) failures.push(closing());
    const abandon = (): void => {
      for (const { listener } of fresh) listener.close();
    };
    if (failures.length > 0) {
      abandon();
      throw combined(failures);
    }
    return {
      opened: fresh.map(nameOf),
      closed: former.map(nameOf),
      abandon,
      commit: () => {
        const open = [...fresh];
        this.#open = new Map(
          wanted.map(({ key, kind, address }) => {
            const listening = before.get(key) ?? open.shift()!;
            listening.kind = kind;
            listening.address = address;
            return [key, listening];
          }),
        );
        for (const { listener } of former) listener.close();
        return former;
      },
    };
  }

  /** Stops accepting, for good; accepted connections live on. */
  close(): void {
    this.#isClosed = true;
    for (const { listener } of this.#open.values()) listener.close();
  }

  #listening({ key, kind, address }: Wanted): Listening {
    const listener = this.#create(address, (socket) => this.#accept(socket, listening), key);
    const listening: Listening = { listener, kind, address };
    return listening;
  }
}

function wantedOf({ http, https }: ListenConfig): readonly Wanted[] {
  const times = new Map<string, number>();
  return [
    ...http.map((address) => ({ kind: 'http' as const, address })),
    ...https.map((address) => ({ kind: 'https' as const, address })),
  ].map(({ kind, address }) => {
    const place = `${address.host ?? ''}:${address.port}`;
    const time = times.get(place) ?? 0; // port 0 may stand there twice
    times.set(place, time + 1);
    return { key: `${place} ${time}`, kind, address };
  });
}

/** The port that redirects lead to; `ports`: those of the TLS listeners. */
export function httpsPortOf({ redirectPort }: ListenConfig, ports: readonly number[]): number {
  return redirectPort ?? (ports.includes(443) ? 443 : (ports[0] ?? 443));
}

function nameOf({ listener, kind }: Listening): string {
  const { address, port } = listener.bound;
  return `${kind} ${uriHost(address)}:${port}`;
}

function combined(failures: readonly unknown[]): PerantaraError {
  const first = failures[0];
  const known = first instanceof PerantaraError ? first : null;
  return new PerantaraError(failures.map(messageOf).join('\n'), {
    code: known?.code ?? 'listen_failed',
    source: known?.source ?? 'internal',
    cause: failures.length === 1 ? known?.cause : failures,
  });
}

/** A port that a former listener still holds is no other program's. */
function unlessOurs(error: unknown, { address }: Listening, former: readonly Listening[]): unknown {
  const holder = former.find((each) => each.address.port === address.port);
  if (codeOf(error) !== 'listen_in_use' || holder === undefined) return error;
  const why = `"${showAddress(holder.address)}" of the configuration in force holds the port as long as this process runs`;
  return new PerantaraError(`${address.position}: cannot listen on "${showAddress(address)}": ${why}; restart it`, {
    code: 'listen_in_use',
    source: 'operator',
    cause: error,
  });
}

function closing(): PerantaraError {
  return new PerantaraError('cannot listen: the process is stopping', { code: 'closed', source: 'internal' });
}
