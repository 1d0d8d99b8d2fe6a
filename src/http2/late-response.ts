// HEADERS of a response whose request is over (RFC 9113 section 5.1): what was on its way when we gave it up is passed over.
import type { ClientStream } from './client-stream.ts';
import { ConnectionFault, StreamFault } from './fault.ts';
import type { Session } from './session.ts';

/** Throws ConnectionFault or StreamFault where nothing can have been on its way. `ends`: with END_STREAM. */
export function takeLateHeaders({ streams, allowances }: Session<ClientStream>, streamId: number, ends: boolean): void {
  if (!streams.wasOpened(streamId)) throw new ConnectionFault('PROTOCOL_ERROR', 'HEADERS on an idle stream');
  const ending = streams.endingOf(streamId);
  if (ending === 'ended') throw new ConnectionFault('STREAM_CLOSED', 'HEADERS on a closed stream');
  if (ending === 'reset-by-peer') throw new StreamFault('STREAM_CLOSED', 'HEADERS on a closed stream');
  allowances.lateHeaders();
  if (ends) streams.endLate(streamId);
}
