// Listening sockets that the process was started with (sd_listen_fds(3)): which they are, and which address of the configuration
// each of them serves. A socket is looked at and never bound; names say nothing about what it is.
import { fstatSync } from 'node:fs';
import { type AddressInfo, Socket } from 'node:net';
import type { ListenAddress, ListenConfig } from '../config/config.ts';
import { normalizeAddress, uriHost } from '../core/address.ts';
import { codeOf, messageOf } from '../core/errors.ts';

/** Values of the environment variables `LISTEN_PID`, `LISTEN_FDS` and `LISTEN_FDNAMES`. */
export interface PassedDescriptors {
  readonly pid: string | undefined;
  readonly count: string | undefined;
  readonly names: string | undefined;
}

export interface InheritedSocket {
  readonly fd: number;
  /** `FileDescriptorName=` of the socket unit, or its name. */
  readonly name: string | null;
  /** IP address, normalised. */
  readonly address: string;
  readonly port: number;
}

interface Descriptor {
  readonly fd: number;
  readonly name: string | null;
}

/** SD_LISTEN_FDS_START. */
const FIRST_FD = 3;
/** What a process may have open unless its limits were raised. */
const MAX_COUNT = 1_024;

export class InheritedSockets {
  readonly all: readonly InheritedSocket[];
  /** One sentence for each descriptor that cannot be used. */
  readonly problems: readonly string[];

  constructor(all: readonly InheritedSocket[] = [], problems: readonly string[] = []) {
    this.all = all;
    this.problems = problems;
  }

  /** Looks at every descriptor that is for process `pid`; to be done before anything is opened, which could take its place. */
  static find(passed: PassedDescriptors, pid: number): InheritedSockets {
    const { descriptors, problem } = parsePassed(passed, pid);
    const looks = descriptors.map(lookAt);
    const problems = looks.flatMap((look) => (typeof look === 'string' ? [look] : []));
    const all = looks.flatMap((look) => (typeof look === 'string' ? [] : [look]));
    return new InheritedSockets(all, problem === null ? problems : [problem, ...problems]);
  }

  /** The descriptor of the socket that is bound to `address`, or null: nobody passed one. */
  fdFor(address: ListenAddress): number | null {
    for (const host of hostsOf(address)) {
      const found = this.all.find((each) => each.port === address.port && each.address === host);
      if (found !== undefined) return found.fd;
    }
    return null;
  }

  /** Those that no address of `listen` is for. */
  unused({ http, https }: ListenConfig): readonly InheritedSocket[] {
    const used = new Set([...http, ...https].map((address) => this.fdFor(address)));
    return this.all.filter(({ fd }) => !used.has(fd));
  }
}

/** As it stands in messages: `[::]:443`. */
export function showInherited({ address, port }: InheritedSocket): string {
  return `${uriHost(address)}:${port}`;
}

/** No descriptor when they are for another process. */
export function parsePassed(
  { pid, count, names }: PassedDescriptors,
  ownPid: number,
): { readonly descriptors: readonly Descriptor[]; readonly problem: string | null } {
  if (pid !== String(ownPid) || count === undefined) return { descriptors: [], problem: null };
  const number = /^\d{1,4}$/.test(count) ? Number(count) : Number.NaN;
  if (!(number <= MAX_COUNT)) {
    const problem = `cannot use LISTEN_FDS: ${JSON.stringify(count.slice(0, 32))} is no number up to ${MAX_COUNT}`;
    return { descriptors: [], problem };
  }
  const given = names?.split(':') ?? [];
  const isComplete = given.length === number;
  const descriptors = Array.from({ length: number }, (_, i) => ({
    fd: FIRST_FD + i,
    name: (isComplete && given[i]) || null,
  }));
  return { descriptors, problem: null };
}

/** The socket, or why it is none that can be listened on. */
function lookAt({ fd, name }: Descriptor): InheritedSocket | string {
  const unusable = (why: string): string =>
    `cannot listen on descriptor ${fd}${name === null ? '' : ` (${JSON.stringify(name)})`} that was passed in: ${why}`;
  try {
    if (!fstatSync(fd).isSocket()) return unusable('it is no socket');
    // Never destroyed: it would take the descriptor with it.
    const socket = new Socket({ fd, readable: false, writable: false });
    socket.on('error', () => {});
    const { address, port } = socket.address() as Partial<AddressInfo>;
    if (address === undefined || port === undefined) return unusable('it is a unix socket, and only TCP is served');
    if (socket.remoteAddress !== undefined)
      return unusable('it is a connection; the socket unit needs "Accept=no", which is the default');
    if (port === 0) return unusable('it is bound to no port');
    return { fd, name, address: normalizeAddress(address), port };
  } catch (error) {
    switch (codeOf(error)) {
      case 'EBADF':
        return unusable('it is not open');
      case 'ERR_INVALID_FD_TYPE':
        return unusable('it is no stream of TCP');
      default:
        return unusable(messageOf(error));
    }
  }
}

/** The addresses that a socket for `address` may be bound to, the best first. A host name has none but `localhost`: it may lead anywhere. */
function hostsOf({ host }: ListenAddress): readonly string[] {
  if (host === null) return ['::', '0.0.0.0'];
  return host === 'localhost' ? ['127.0.0.1', '::1'] : [normalizeAddress(host)];
}
