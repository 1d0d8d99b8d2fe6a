// Sends one connection more than it can want: unit after unit, as fast as they are taken, until the other side has enough.
import type { H2Peer } from '../../support/h2-peer.ts';

/** Small, so that what is sent beyond the other side's patience is little. */
const PIECE_BYTES = 16 * 1024;

/** `unit`: the bytes of the unit of this number. Resolves with how many were sent when it has ended or all have. */
export async function pour(client: H2Peer, unit: (number: number) => Buffer, count: number): Promise<number> {
  const isOver = (): boolean => client.ended !== 'no' || client.goaway !== null;
  let sent = 0;
  while (sent < count && !isOver()) {
    const piece: Buffer[] = [];
    for (let bytes = 0; bytes < PIECE_BYTES && sent < count; sent++) {
      piece.push(unit(sent));
      bytes += piece.at(-1)!.length;
    }
    await Promise.race([client.send(...piece), client.when(isOver).catch(() => {})]);
    await new Promise(setImmediate); // what has come is read before more is sent
  }
  return sent;
}
