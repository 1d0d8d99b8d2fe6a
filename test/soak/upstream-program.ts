// The upstream of a soak in a process of its own: the sample upstream, and answers that break off.
// Prints `port N`; ends with its parent.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { startSampleUpstream } from '../support/sample-upstream.ts';

const { port } = await startSampleUpstream({ handle: breakOff });
console.log(`port ${port}`);

/** `/gone`: before the head. `/cut`: 100 of 1000 bytes. `/etag`: 304 to those who have it. */
function breakOff(request: IncomingMessage, response: ServerResponse): boolean {
  if (request.url === '/gone') request.socket.destroy();
  else if (request.url === '/cut') {
    response.writeHead(200, { 'content-length': 1_000 });
    response.write('x'.repeat(100), () => request.socket.destroy());
  } else if (request.url === '/etag') {
    const isKnown = request.headers['if-none-match'] === '"v1"';
    response.writeHead(isKnown ? 304 : 200, { etag: '"v1"' }).end(isKnown ? '' : 'content of v1\n');
  } else return false;
  return true;
}
