// Reads of an accepted socket into one buffer that all connections share, as `net.connect({ onread })` offers it for sockets
// that Node connects itself: no buffer, no stream chunk and no event for each read (5 % of a proxied request, measured).
// Node has no public way to ask for it on an accepted TLS socket, so this sets what `onread` would have set. Where Node's
// insides differ from those known here, nothing is touched and the socket is read by 'data' events.
import { Socket } from 'node:net';

interface ReadableHandle {
  useUserBuffer?(buffer: Uint8Array): void;
}

/** What Node keeps on every socket for `onread`, null or undefined without it. */
interface Slots {
  readonly buffer: symbol;
  readonly callback: symbol;
  readonly generator: symbol;
}

const SLOTS = slotsOf(new Socket());

/** Calls `onRead` with the bytes of each read from now on, lent for the call. Whether it could be arranged; if not, listen to 'data'. */
export function readShared(socket: Socket, buffer: Buffer, onRead: (chunk: Buffer) => void): boolean {
  const insides = socket as unknown as { _handle: ReadableHandle | null } & Record<symbol, unknown>;
  if (SLOTS === null || typeof insides._handle?.useUserBuffer !== 'function' || socket.readableLength > 0) return false;
  insides[SLOTS.buffer] = buffer;
  insides[SLOTS.callback] = (bytes: number): boolean => {
    onRead(buffer.subarray(0, bytes));
    return true;
  };
  insides[SLOTS.generator] = null;
  insides._handle.useUserBuffer(buffer);
  return true;
}

function slotsOf(socket: Socket): Slots | null {
  const symbols = Object.getOwnPropertySymbols(socket);
  const [buffer, callback, generator] = ['kBuffer', 'kBufferCb', 'kBufferGen'].map((name) =>
    symbols.find(({ description }) => description === name),
  );
  return buffer === undefined || callback === undefined || generator === undefined
    ? null
    : { buffer, callback, generator };
}
