// A gRPC server of any behaviour by @grpc/grpc-js, without a .proto: messages are bytes, as they are on the wire.
import type { TestContext } from 'node:test';
import {
  type ServerDuplexStream as Duplex,
  type MethodDefinition,
  type ServerReadableStream as Readable,
  Server,
  ServerCredentials,
  type ServerOptions,
  type sendUnaryData,
  type ServerUnaryCall as Unary,
  type ServerWritableStream as Writable,
} from '@grpc/grpc-js';
import type { ServerCertificate } from './server-certificate.ts';

export type Answer = sendUnaryData<Buffer>;

/** What the server does when it is called; what is left out is UNIMPLEMENTED. */
export interface Methods {
  /** One message, one answer. */
  readonly say?: (call: Unary<Buffer, Buffer>, answer: Answer) => void;
  /** Many messages, one answer. */
  readonly gather?: (call: Readable<Buffer, Buffer>, answer: Answer) => void;
  /** One message, many answers. */
  readonly spread?: (call: Writable<Buffer, Buffer>) => void;
  /** Many messages, many answers. */
  readonly talk?: (call: Duplex<Buffer, Buffer>) => void;
}

export interface GrpcServer {
  readonly port: number;
  /** Cuts every connection and stops listening. Idempotent. */
  stop(): void;
}

export const SERVICE = '/test.Talk';

const bytes = (message: Buffer): Buffer => message;

function method(name: string, requestStream: boolean, responseStream: boolean): MethodDefinition<Buffer, Buffer> {
  const coding = {
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  };
  return { path: `${SERVICE}/${name}`, requestStream, responseStream, ...coding };
}

const DEFINITION = {
  say: method('Say', false, false),
  gather: method('Gather', true, false),
  spread: method('Spread', false, true),
  talk: method('Talk', true, true),
};

export interface GrpcServerOptions {
  readonly methods: Methods;
  /** Speaks TLS with it, ALPN h2. Default plain HTTP/2 by prior knowledge. */
  readonly certificate?: ServerCertificate;
  /** Default 0: any. */
  readonly port?: number;
  readonly options?: ServerOptions;
}

/** Listens on 127.0.0.1. */
export async function startGrpcServer(
  t: Pick<TestContext, 'after'>,
  { methods, certificate, port = 0, options }: GrpcServerOptions,
): Promise<GrpcServer> {
  const server = new Server(options);
  server.addService(DEFINITION, { ...methods });
  const credentials =
    certificate === undefined
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(null, [
          { cert_chain: Buffer.from(certificate.certPem), private_key: Buffer.from(certificate.keyPem) },
        ]);
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync(`127.0.0.1:${port}`, credentials, (error, bound) =>
    error === null ? resolve(bound) : reject(error),
  );
  const stop = (): void => server.forceShutdown();
  t.after(stop);
  return { port: await promise, stop };
}
