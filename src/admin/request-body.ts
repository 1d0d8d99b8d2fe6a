// The content of an admin request, of which there is never much.
import type { IncomingMessage } from 'node:http';
import { AdminError } from './admin-error.ts';

export const MAX_BODY_BYTES = 4096;

/** Rejects with AdminError 413 without reading on, or when the client goes. How long it may take is the server's matter. */
export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw tooLarge();
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function tooLarge(): AdminError {
  const message = `cannot read the request: its content is larger than ${MAX_BODY_BYTES} bytes`;
  return new AdminError(413, 'content_too_large', message, { connection: 'close' });
}
