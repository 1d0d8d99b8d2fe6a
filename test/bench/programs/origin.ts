// The raw origin: takes uploads, counts and discards them; and answers like the nginx origin where there is no nginx.
// Content must come with Content-Length. It reads a request wholly before it answers.
// usage: node origin.ts PORT FOLDER-OF-FILES
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';

const [port, folder] = process.argv.slice(2) as [string, string];
const files = new Map(readdirSync(folder).map((name) => [`/${name}`, readFileSync(`${folder}/${name}`)]));
const HEAD_END = Buffer.from('\r\n\r\n');

class Connection {
  readonly #socket: Socket;
  #head: Buffer = Buffer.alloc(0);
  #text = '';
  #left = -1;
  #length = 0;
  #served = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
  }

  #take(given: Buffer): void {
    let chunk = given;
    while (chunk.length > 0) {
      if (this.#left === -1) {
        const whole = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk]);
        const end = whole.indexOf(HEAD_END);
        this.#head = end === -1 ? whole : Buffer.alloc(0);
        if (end === -1) return;
        this.#text = whole.toString('latin1', 0, end);
        this.#length = Number(/^content-length: *(\d+)/im.exec(this.#text)?.[1] ?? 0);
        this.#left = this.#length;
        chunk = whole.subarray(end + 4);
      }
      const taken = Math.min(this.#left, chunk.length);
      this.#left -= taken;
      chunk = chunk.subarray(taken);
      if (this.#left === 0) {
        this.#left = -1;
        this.#answer();
      }
    }
  }

  #answer(): void {
    this.#served++;
    const [method = '', target = ''] = this.#text.split(' ', 2);
    if (/^transfer-encoding:/im.test(this.#text)) this.#send('501 Not Implemented', Buffer.alloc(0));
    else if (method === 'PUT' || method === 'POST') this.#send('200 OK', Buffer.from(`${this.#length}`));
    else if (target === '/headers') this.#send('200 OK', Buffer.from(this.#seen()));
    else if (files.has(target)) this.#send('200 OK', files.get(target)!);
    else this.#send('404 Not Found', Buffer.alloc(0));
  }

  /** What the nginx origin says at /headers. */
  #seen(): string {
    const field = (name: string): string => new RegExp(`^${name}: *(.*?) *$`, 'im').exec(this.#text)?.[1] ?? '';
    return `${field('x-forwarded-for')} ${field('x-forwarded-proto')} ${this.#served} HTTP/1.1`;
  }

  #send(status: string, body: Buffer): void {
    this.#socket.cork();
    this.#socket.write(`HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\n\r\n`, 'latin1');
    this.#socket.write(body);
    this.#socket.uncork();
  }
}

createServer({ noDelay: true }, (socket) => void new Connection(socket)).listen(Number(port), '127.0.0.1', 4096);
