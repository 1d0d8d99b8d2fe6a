// Offers one end of a connection bytes without end, watching how many are taken and what that does to this process.
import assert from 'node:assert/strict';
import type { Peer } from './peer.ts';

export const OFFERED_BYTES = 200 * 1024 * 1024;
/** What the systems' socket buffers may take of what nobody reads, on both sides of a proxy, and some. */
export const NETWORK_BYTES = 24 * 1024 * 1024;
/** How much larger the process may become: half of what is offered, so that whoever keeps it is found out. */
const GROWTH_BYTES = OFFERED_BYTES / 2;

export interface Taken {
  readonly bytes: number;
  /** Whether it ended because nothing more was taken, the connection being open. */
  readonly stalled: boolean;
}

/**
 * Writes `start` and then `more` until the connection ends, `isOver` says so, nothing is taken any more, or all has been
 * offered. Asserts that memory stays within bounds.
 */
export async function flood(
  peer: Peer,
  start: string,
  more: string,
  isOver: () => boolean = () => false,
): Promise<Taken> {
  const piece = Buffer.from(more.repeat(Math.ceil((64 * 1024) / more.length)), 'latin1');
  const before = process.memoryUsage.rss();
  let bytes = 0;
  for (let next = Buffer.from(start, 'latin1'); bytes < OFFERED_BYTES; next = piece) {
    if (peer.ended !== 'no' || isOver()) return { bytes, stalled: false };
    if (!(await isTaken(peer, next))) return { bytes, stalled: peer.ended === 'no' };
    bytes += next.length;
    const growth = process.memoryUsage.rss() - before;
    assert.ok(growth < GROWTH_BYTES, `the process grew by ${growth} bytes when ${bytes} had been taken`);
  }
  return { bytes, stalled: false };
}

/** Whether the bytes get to the system, which they do not while its buffers are full. */
async function isTaken(peer: Peer, bytes: Buffer): Promise<boolean> {
  let taken = bytes.length === 0;
  let broken = false;
  if (!taken) {
    peer.socket.write(bytes, (error) => {
      taken = error == null;
      broken = error != null;
    });
  }
  for (let looked = 0; !taken && !broken && looked < 30; looked++)
    await new Promise((resolve) => setTimeout(resolve, looked));
  return taken;
}
