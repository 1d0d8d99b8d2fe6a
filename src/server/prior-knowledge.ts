// Tells HTTP/2 with prior knowledge (RFC 9113 section 3.3) from HTTP/1.1 by what a connection in the clear begins with.
import { PREFACE } from '../http2/frame.ts';
import type { Opening } from './opening-bytes.ts';

/** Whether it is HTTP/2; null while it may become so. Nothing is used up. */
export function beginsAsHttp2(known: Buffer): Opening<boolean> | null {
  const length = Math.min(known.length, PREFACE.length);
  if (PREFACE.compare(known, 0, length, 0, length) !== 0) return { value: false, end: 0 };
  return length === PREFACE.length ? { value: true, end: 0 } : null;
}
