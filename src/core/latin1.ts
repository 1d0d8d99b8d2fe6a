// Bytes ↔ latin1 text by Buffer's own per-encoding methods: undocumented in the types, stable since Node 0.x, used by
// undici too, and a third of the cost of toString/write with an encoding name.

interface Latin1Buffer {
  latin1Slice(start: number, end: number): string;
  latin1Write(text: string, offset: number, length: number): number;
}

/** buf[start, end) as text, one character per byte. */
export function latin1(buf: Buffer, start: number, end: number): string {
  return (buf as unknown as Latin1Buffer).latin1Slice(start, end);
}

/** Writes `text` at `offset`; returns the bytes written. */
export function writeLatin1(buf: Buffer, text: string, offset: number): number {
  return (buf as unknown as Latin1Buffer).latin1Write(text, offset, text.length);
}
