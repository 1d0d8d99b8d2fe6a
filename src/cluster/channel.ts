// Calls between a primary and one of its workers over Node's IPC channel, both ways and in order; each is answered once. Data is
// copied (structured clone); a socket's handle may come with an answer.
import { type Blame, codeOf, messageOf, PerantaraError } from '../core/errors.ts';

/** What of a ChildProcess, or of `process` in a child, is used here. */
export interface ChannelEnd {
  readonly connected: boolean;
  send?(message: unknown, handle?: unknown, options?: object, callback?: (error: Error | null) => void): boolean;
  on(event: 'message', listener: (message: unknown, handle: unknown) => void): unknown;
  on(event: 'disconnect', listener: () => void): unknown;
}

/** Each by its name: what is asked, and what is answered. */
// biome-ignore lint/suspicious/noExplicitAny: any call
export type Calls = Record<string, (question: any) => unknown>;

/** An answer that brings the handle of a socket. */
export class HandleAnswer {
  readonly handle: object;

  constructor(handle: object) {
    this.handle = handle;
  }
}

export type Handlers<C> = {
  readonly [K in keyof C]: C[K] extends (question: infer Q) => infer A ? (question: Q) => A | Promise<A> : never;
};

type Question<F> = F extends (question: infer Q) => unknown ? Q : never;
type Answered<F> = F extends (question: never) => infer A ? A : never;

type Message =
  | { readonly call: string; readonly id: number; readonly question: unknown }
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly failure: Failure };

interface Failure {
  readonly message: string;
  readonly code: string;
  readonly source: Blame;
}

interface Waiting {
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

export class Channel<Out extends Calls, In extends Calls> {
  readonly #end: ChannelEnd;
  readonly #name: string;
  readonly #handlers: Handlers<In>;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  /** `name`: of whoever is at the other end, for messages. `handlers`: may throw or reject, which the caller is told. */
  constructor(end: ChannelEnd, name: string, handlers: Handlers<In>) {
    this.#end = end;
    this.#name = name;
    this.#handlers = handlers;
    end.on('message', (message, handle) => void this.#take(message as Message, handle));
    end.on('disconnect', () => this.close());
  }

  /** Rejects with what the other side threw, or PerantaraError `channel_closed` once there is nobody to answer. */
  call<K extends keyof Out & string>(name: K, question: Question<Out[K]>): Promise<Answered<Out[K]>> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const id = ++this.#lastId;
    this.#waiting.set(id, { resolve, reject });
    try {
      this.#send({ call: name, id, question });
    } catch (error) {
      this.#refuse(id, error as Error); // it cannot be copied
    }
    return promise as Promise<Answered<Out[K]>>;
  }

  /** Whoever waits for an answer is told that none comes. */
  close(): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(this.#closed());
  }

  async #take(message: Message, handle: unknown): Promise<void> {
    if ('call' in message) {
      await this.#answer(message.id, message.call, message.question);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (waiting === undefined) return;
    if ('failure' in message) waiting.reject(new PerantaraError(message.failure.message, message.failure));
    else waiting.resolve(handle === undefined ? message.answer : new HandleAnswer(handle as object));
  }

  async #answer(id: number, call: string, question: unknown): Promise<void> {
    try {
      const answer = await this.#handlers[call]!(question as never);
      if (answer instanceof HandleAnswer) this.#send({ id, answer: null }, answer.handle);
      else this.#send({ id, answer });
    } catch (error) {
      this.#send({ id, failure: failureOf(error) });
    }
  }

  /** What cannot be sent is noticed by the end of the channel. */
  #send(message: Message, handle?: object): void {
    if (!this.#end.connected) {
      if ('call' in message) this.#refuse(message.id, this.#closed());
      return;
    }
    this.#end.send?.(message, handle, { keepOpen: true }, (error) => {
      if (error !== null && 'call' in message) this.#refuse(message.id, error);
    });
  }

  #refuse(id: number, error: Error): void {
    this.#waiting.get(id)?.reject(error);
    this.#waiting.delete(id);
  }

  #closed(): PerantaraError {
    return new PerantaraError(`${this.#name} has ended`, { code: 'channel_closed', source: 'internal' });
  }
}

function failureOf(error: unknown): Failure {
  const source = error instanceof PerantaraError ? error.source : 'internal';
  return { message: messageOf(error), code: codeOf(error), source };
}
