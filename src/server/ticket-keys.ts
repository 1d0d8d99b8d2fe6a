// The keys of session tickets (RFC 5077, RFC 8446 section 4.6.1), by which a client comes back without a full handshake: one that
// tickets are made with, and the one before, whose tickets are still taken. The same in all workers, so that any of them resumes.
import { randomBytes } from 'node:crypto';
import type { SecureContext } from 'node:tls';

/** 48 bytes each, secret: a name of 16, an HMAC key of 16, an AES-128 key of 16. */
export interface TicketKeySet {
  readonly current: Uint8Array;
  readonly previous: Uint8Array | null;
}

/** After this there is a new one, so that a ticket is good for half a day to a day. */
export const TICKET_KEY_LIFE_MS = 12 * 3_600_000;

export function rotatedTicketKeys(before: TicketKeySet | null): TicketKeySet {
  return { current: randomBytes(48), previous: before?.current ?? null };
}

type Answer = [status: -1 | 0 | 1 | 2, hmac: Buffer, aes: Buffer, name: Buffer, iv: Buffer];

/** Node has no documented way to more than one key: this is what stands behind `ticketKeys`, and in its own tests. */
interface NativeContext {
  onticketkeycallback?: (name: Buffer, iv: Buffer, isNew: boolean) => Answer;
  enableTicketKeyCallback?: () => void;
  setTicketKeys(keys: Uint8Array): void;
}

interface Key {
  readonly name: Buffer;
  readonly hmac: Buffer;
  readonly aes: Buffer;
}

/** OpenSSL's words: no such key, so a full handshake; taken; taken, and a new ticket should be sent. */
const [UNKNOWN, TAKEN, RENEW] = [0, 1, 2] as const;

export class TicketKeys {
  #current: Key;
  #previous: Key | null;
  #set: TicketKeySet;
  /** Those that ask here; the others are given each new key. */
  readonly #asking = new WeakSet<SecureContext>();
  readonly #given = new WeakSet<SecureContext>();

  constructor(keys: TicketKeySet) {
    this.#set = keys;
    this.#current = keyOf(keys.current);
    this.#previous = keys.previous === null ? null : keyOf(keys.previous);
  }

  /** New tickets are made with `keys.current` from now on. */
  adopt(keys: TicketKeySet): void {
    this.#set = keys;
    this.#current = keyOf(keys.current);
    this.#previous = keys.previous === null ? null : keyOf(keys.previous);
  }

  /**
   * Handshakes that begin with `context` make and take tickets by these keys; to be called before each, at next to no cost.
   * The context that a server name leads to does not matter: OpenSSL asks the one that the handshake began with.
   */
  serve(context: SecureContext): void {
    if (this.#asking.has(context)) return;
    const native = (context as unknown as { readonly context: NativeContext }).context;
    if (native.enableTicketKeyCallback === undefined) {
      // Another Node than is known here: without the key before.
      if (!this.#given.has(context)) native.setTicketKeys(this.#set.current);
      this.#given.add(context);
      return;
    }
    this.#asking.add(context);
    native.onticketkeycallback = (name, iv, isNew) => this.#answer(name, iv, isNew);
    native.enableTicketKeyCallback();
  }

  /** Must not throw, and always returns all five: Node aborts the process over less. */
  #answer(name: Buffer, iv: Buffer, isNew: boolean): Answer {
    const current = this.#current;
    if (isNew) return answer(TAKEN, current, randomBytes(16));
    if (current.name.equals(name)) return answer(TAKEN, current, iv);
    const previous = this.#previous;
    if (previous?.name.equals(name)) return answer(RENEW, previous, iv);
    return answer(UNKNOWN, current, iv);
  }
}

function answer(status: Answer[0], { hmac, aes, name }: Key, iv: Buffer): Answer {
  return [status, hmac, aes, name, iv];
}

function keyOf(bytes: Uint8Array): Key {
  const all = Buffer.from(bytes);
  return { name: all.subarray(0, 16), hmac: all.subarray(16, 32), aes: all.subarray(32, 48) };
}
