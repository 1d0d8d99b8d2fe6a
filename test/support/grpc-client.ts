// A gRPC client by @grpc/grpc-js, without a .proto: messages are bytes, and a call's outcome is everything that it brought.
import type { TestContext } from 'node:test';
import {
  type CallOptions,
  Client,
  type ClientDuplexStream,
  type ClientOptions,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  credentials,
  Metadata,
  type StatusObject,
} from '@grpc/grpc-js';
import { SERVICE } from './grpc-server.ts';

export interface Outcome {
  readonly messages: readonly Buffer[];
  /** What came before the messages; null when nothing did. */
  readonly head: Metadata | null;
  /** Code, details, and what came after the messages. */
  readonly status: StatusObject;
}

/** A call that is under way, with all it will bring. Never rejects: a call always ends in a status. */
export interface Under<Call> {
  readonly call: Call;
  readonly outcome: Promise<Outcome>;
}

const bytes = (message: Buffer): Buffer => message;

export class GrpcClient {
  readonly #client: Client;

  /** `root`: PEM of the authority that certified `name`. The port is one of 127.0.0.1. Closed after the test. */
  constructor(
    t: Pick<TestContext, 'after'>,
    { port, name, root }: { readonly port: number; readonly name: string; readonly root: Buffer },
    options: ClientOptions = {},
  ) {
    this.#client = new Client(`127.0.0.1:${port}`, credentials.createSsl(root), {
      'grpc.ssl_target_name_override': name,
      'grpc.default_authority': `${name}:${port}`,
      // A channel of its own: clients of other tests share nothing with it.
      'grpc.use_local_subchannel_pool': 1,
      ...options,
    });
    t.after(() => this.#client.close());
  }

  say(message: Buffer | string, metadata = new Metadata(), options: CallOptions = {}): Under<ClientUnaryCall> {
    const messages: Buffer[] = [];
    const keep = (_error: unknown, answer?: Buffer): void => void (answer !== undefined && messages.push(answer));
    const path = `${SERVICE}/Say`;
    return under(
      this.#client.makeUnaryRequest(path, bytes, bytes, Buffer.from(message), metadata, options, keep),
      messages,
    );
  }

  gather(metadata = new Metadata(), options: CallOptions = {}): Under<ClientWritableStream<Buffer>> {
    const messages: Buffer[] = [];
    const keep = (_error: unknown, answer?: Buffer): void => void (answer !== undefined && messages.push(answer));
    return under(
      this.#client.makeClientStreamRequest(`${SERVICE}/Gather`, bytes, bytes, metadata, options, keep),
      messages,
    );
  }

  spread(
    message: Buffer | string,
    metadata = new Metadata(),
    options: CallOptions = {},
  ): Under<ClientReadableStream<Buffer>> {
    const path = `${SERVICE}/Spread`;
    return under(this.#client.makeServerStreamRequest(path, bytes, bytes, Buffer.from(message), metadata, options));
  }

  talk(metadata = new Metadata(), options: CallOptions = {}): Under<ClientDuplexStream<Buffer, Buffer>> {
    return under(this.#client.makeBidiStreamRequest(`${SERVICE}/Talk`, bytes, bytes, metadata, options));
  }
}

function under<Call extends NodeJS.EventEmitter>(call: Call, messages: Buffer[] = []): Under<Call> {
  let head: Metadata | null = null;
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  call.on('metadata', (metadata: Metadata) => {
    head = metadata;
  });
  call.on('data', (message: Buffer) => void messages.push(message));
  call.on('error', () => {}); // told by the status too
  call.on('status', (status: StatusObject) => resolve({ messages, head, status }));
  return { call, outcome: promise };
}
