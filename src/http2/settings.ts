// What the peer says about itself (RFC 9113 section 6.5, RFC 8441 section 3, RFC 9218 section 2.1).
import { ConnectionFault } from './fault.ts';
import {
  DEFAULT_FRAME_BYTES,
  DEFAULT_TABLE_BYTES,
  DEFAULT_WINDOW_BYTES,
  MAX_FRAME_BYTES,
  MAX_WINDOW_BYTES,
  SETTINGS_ENABLE_CONNECT_PROTOCOL,
  SETTINGS_ENABLE_PUSH,
  SETTINGS_HEADER_TABLE_SIZE,
  SETTINGS_INITIAL_WINDOW_SIZE,
  SETTINGS_MAX_CONCURRENT_STREAMS,
  SETTINGS_MAX_FRAME_SIZE,
  SETTINGS_NO_RFC7540_PRIORITIES,
} from './frame.ts';

/** More in one frame are an attack: there are nine, and a few to come. */
const MAX_SETTINGS = 64;

export class PeerSettings {
  headerTableBytes = DEFAULT_TABLE_BYTES;
  /** The smallest that the last SETTINGS said; its last word may be larger (RFC 7541 section 4.2). */
  leastHeaderTableBytes = DEFAULT_TABLE_BYTES;
  maxConcurrentStreams = Number.POSITIVE_INFINITY;
  initialWindowBytes = DEFAULT_WINDOW_BYTES;
  maxFrameBytes = DEFAULT_FRAME_BYTES;
  enableConnectProtocol = false;

  /** Takes the payload buf[start, end) of a SETTINGS frame. `isServer`: the peer is one. Throws ConnectionFault. */
  apply(buf: Buffer, start: number, end: number, isServer: boolean): void {
    if ((end - start) % 6 !== 0) throw new ConnectionFault('FRAME_SIZE_ERROR', 'a cut off setting');
    if (end - start > MAX_SETTINGS * 6) throw new ConnectionFault('ENHANCE_YOUR_CALM', 'too many settings');
    this.leastHeaderTableBytes = this.headerTableBytes;
    for (let at = start; at < end; at += 6) this.#set(buf.readUInt16BE(at), buf.readUInt32BE(at + 2), isServer);
  }

  #set(id: number, value: number, isServer: boolean): void {
    switch (id) {
      case SETTINGS_HEADER_TABLE_SIZE:
        this.headerTableBytes = value;
        this.leastHeaderTableBytes = Math.min(this.leastHeaderTableBytes, value);
        break;
      case SETTINGS_ENABLE_PUSH:
        if (value > 1 || (isServer && value === 1)) throw wrong('ENABLE_PUSH');
        break;
      case SETTINGS_MAX_CONCURRENT_STREAMS:
        this.maxConcurrentStreams = value;
        break;
      case SETTINGS_INITIAL_WINDOW_SIZE:
        if (value > MAX_WINDOW_BYTES)
          throw new ConnectionFault('FLOW_CONTROL_ERROR', 'INITIAL_WINDOW_SIZE is too large');
        this.initialWindowBytes = value;
        break;
      case SETTINGS_MAX_FRAME_SIZE:
        if (value < DEFAULT_FRAME_BYTES || value > MAX_FRAME_BYTES) throw wrong('MAX_FRAME_SIZE');
        this.maxFrameBytes = value;
        break;
      case SETTINGS_ENABLE_CONNECT_PROTOCOL:
        if (value > 1 || (this.enableConnectProtocol && value === 0)) throw wrong('ENABLE_CONNECT_PROTOCOL');
        this.enableConnectProtocol = value === 1;
        break;
      case SETTINGS_NO_RFC7540_PRIORITIES:
        if (value > 1) throw wrong('NO_RFC7540_PRIORITIES');
        break;
      // MAX_HEADER_LIST_SIZE is advice, and unknown settings mean nothing.
    }
  }
}

function wrong(name: string): ConnectionFault {
  return new ConnectionFault('PROTOCOL_ERROR', `SETTINGS_${name} has a value it may not have`);
}
