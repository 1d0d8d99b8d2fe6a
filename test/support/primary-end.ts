// The primary's side of a worker that runs in the test's own process: asks it, gives it sockets on any port, and answers null to
// everything else.
import { EventEmitter } from 'node:events';
import { type BoundHandle, bindShared } from '../../src/cluster/bound-handle.ts';
import type { ChannelEnd } from '../../src/cluster/channel.ts';

interface Told {
  readonly id: number;
  readonly call?: string;
  readonly question?: unknown;
  readonly answer?: unknown;
  readonly failure?: { readonly message: string; readonly code: string };
}

export class PrimaryEnd extends EventEmitter implements ChannelEnd {
  connected = true;
  /** False: what is sent is lost. */
  givesSockets = true;
  /** Of the sockets that the worker has asked for, in this order. */
  readonly ports: number[] = [];
  readonly #waiting = new Map<number, (told: Told) => void>();
  #lastId = 0;

  /** Resolves with the answer or the failure. What is asked in one turn of the event loop arrives in one. */
  ask(call: string, question: unknown): Promise<Told> {
    const { promise, resolve } = Promise.withResolvers<Told>();
    const id = ++this.#lastId;
    this.#waiting.set(id, resolve);
    this.emit('message', structuredClone({ call, id, question }), undefined);
    return promise;
  }

  send(message: unknown, _handle?: unknown, _options?: object, callback?: (error: Error | null) => void): boolean {
    const told = message as Told;
    if (told.call === undefined) {
      this.#waiting.get(told.id)?.(told);
      this.#waiting.delete(told.id);
    } else if (told.call !== 'socket' || this.givesSockets) {
      const handle = told.call === 'socket' ? bindShared('127.0.0.1', 0) : undefined;
      if (handle !== undefined) this.ports.push(portOf(handle));
      setImmediate(() => this.emit('message', { id: told.id, answer: null }, handle));
    }
    callback?.(null);
    return true;
  }

  /** As if the primary had gone. */
  disconnect(): void {
    this.connected = false;
    this.emit('disconnect');
  }
}

function portOf(handle: BoundHandle): number {
  const name = { port: 0 };
  handle.getsockname(name);
  return name.port;
}
