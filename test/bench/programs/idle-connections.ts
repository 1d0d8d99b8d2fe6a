// Opens TLS connections, sends one request on each, says so, and holds them open until it is ended, at most a minute.
// usage: node idle-connections.ts PORT COUNT
import { connectSecurely, requestText } from '../load/secure-client.ts';

const HOLD_MS = 60_000;
const AT_ONCE = 32;

const [port, count] = process.argv.slice(2) as [string, string];
const request = requestText('/small', Number(port), 'keep-alive');
const errors: string[] = [];
let begun = 0;
let open = 0;

await Promise.all(Array.from({ length: AT_ONCE }, worker));
console.log(JSON.stringify({ open, errors: errors.slice(0, 5) }));
setTimeout(() => process.exit(), HOLD_MS);

async function worker(): Promise<void> {
  while (begun++ < Number(count)) await openOne().catch((error: Error) => errors.push(error.message));
}

function openOne(): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connectSecurely(Number(port));
  socket.on('error', reject);
  socket.on('secureConnect', () => socket.write(request));
  socket.once('data', (chunk: Buffer) => {
    if (chunk.toString('latin1', 0, 12) === 'HTTP/1.1 200') resolve();
    else reject(new Error(`"${chunk.toString('latin1', 0, 12)}" instead of a 200`));
    open++;
  });
  socket.on('close', () => {
    open--;
    reject(new Error('a connection was closed'));
  });
  return promise;
}
