// The operator's endpoint for names on demand: a real HTTP server on loopback that a test directs.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

export interface Question {
  readonly domain: string;
  readonly address: string;
}

export interface AskServer {
  readonly url: string;
  /** In the order in which they came. */
  readonly questions: Question[];
  /** A status, or whatever does the answering. Default 200. */
  answer: number | ((question: Question, response: ServerResponse) => void);
  /** Most questions under way at once so far. */
  readonly most: number;
  stop(): Promise<void>;
}

/** `port`: where to listen. Default any. */
export async function startAskServer(t: TestContext, port = 0): Promise<AskServer> {
  const questions: Question[] = [];
  let underWay = 0;
  let most = 0;
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const { searchParams } = new URL(request.url ?? '', 'http://localhost');
    const question = { domain: searchParams.get('domain') ?? '', address: searchParams.get('address') ?? '' };
    questions.push(question);
    most = Math.max(most, ++underWay);
    response.on('close', () => underWay--);
    const { answer } = ask;
    if (typeof answer === 'number') response.writeHead(answer).end('whatever');
    else answer(question, response);
  });
  await once(server.listen(port, '127.0.0.1'), 'listening');
  const stop = async (): Promise<void> => {
    if (!server.listening) return;
    server.closeAllConnections();
    await once(server.close(), 'close');
  };
  t.after(stop);
  const ask: AskServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/allowed?key=secret`,
    questions,
    answer: 200,
    get most() {
      return most;
    },
    stop,
  };
  return ask;
}
