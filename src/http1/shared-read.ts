// Reads of an accepted socket into one buffer that all connections share, as `net.connect({ onread })` offers it for sockets
// that Node connects itself: no buffer, no stream chunk and no event for each read (5 % of a proxied request, measured).
// Node has no public way to ask for it on an accepted TLS socket, so this sets what `onread` would have set. Where Node's
// insides differ from those known here, nothing is touched and the socket is read by 'data' events.
import type { Socket } from 'node:net';
import { KEPT_BYTES } from './output.ts';

interface ReadableHandle {
  useUserBuffer?(buffer: Uint8Array): void;
}

/**
 * Calls `onRead` with the bytes of each read from now on; under KEPT_BYTES they are lent for the call. Whether it could be
 * arranged; if not, listen to 'data'.
 */
export function readShared(socket: Socket, buffer: Buffer, onRead: (chunk: Buffer) => void): boolean {
  const handle = (socket as unknown as { _handle: ReadableHandle | null })._handle;
  if (typeof handle?.useUserBuffer !== 'function' || socket.readableLength > 0) return false;
  const slots = new Map<string | undefined, symbol>();
  for (const symbol of Object.getOwnPropertySymbols(socket)) slots.set(symbol.description, symbol);
  const [kBuffer, kCallback, kGenerator] = ['kBuffer', 'kBufferCb', 'kBufferGen'].map((name) => slots.get(name));
  if (kBuffer === undefined || kCallback === undefined || kGenerator === undefined) return false;
  const callback = (bytes: number): boolean => {
    const chunk = buffer.subarray(0, bytes);
    onRead(bytes < KEPT_BYTES ? chunk : Buffer.from(chunk));
    return true;
  };
  Object.assign(socket, { [kBuffer]: buffer, [kCallback]: callback, [kGenerator]: null });
  handle.useUserBuffer(buffer);
  return true;
}
