// One DNS message to one server and its answer (RFC 1035 section 4.2): over UDP, sent again when it is lost, or over TCP.
// Knows nothing of what the messages say but the number that pairs them.
import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import type { ServerAddress } from './server-address.ts';

const RESEND_MS = 1_000;

/** The first datagram that `accepts` takes for the answer. Rejects with a system error, or the signal's reason. */
export async function exchangeUdp(
  { host, port }: ServerAddress,
  message: Buffer,
  accepts: (answer: Buffer) => boolean,
  signal: AbortSignal,
): Promise<Buffer> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const onAbort = (): void => reject(signal.reason);
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  const send = (): void => socket.send(message, (error) => error !== null && reject(error));
  // A connected socket hears from this server alone, and of a port where nobody listens at once.
  socket.on('error', reject).on('message', (answer) => accepts(answer) && resolve(answer));
  const resend = setInterval(() => send(), RESEND_MS);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    socket.connect(port, host, (error?: Error) => (error ? reject(error) : send()));
    return await promise;
  } finally {
    clearInterval(resend);
    signal.removeEventListener('abort', onAbort);
    socket.close();
  }
}

/** The one answer on a connection of its own (RFC 7766). Rejects with a system error, or the signal's reason. */
export async function exchangeTcp(
  { host, port }: ServerAddress,
  message: Buffer,
  signal: AbortSignal,
): Promise<Buffer> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const onAbort = (): void => reject(signal.reason);
  const socket = connect({ host, port });
  let received: Buffer = Buffer.alloc(0);
  socket.on('error', reject).on('close', () => reject(new Error('it closed the connection without an answer')));
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    const length = received.length < 2 ? Number.POSITIVE_INFINITY : received.readUInt16BE(0);
    if (received.length >= 2 + length) resolve(received.subarray(2, 2 + length));
  });
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(message.length);
    socket.write(Buffer.concat([length, message]));
    return await promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
    socket.destroy();
  }
}
