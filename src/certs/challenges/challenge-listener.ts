// Answers HTTP-01 validators (RFC 8555 section 8.3) on the plain listeners while no server of ours does: for verbs that
// obtain a certificate, or try whether one could be. Everything but a known token is 404.

import { createServer, type Server } from 'node:http';
import type { ListenAddress } from '../../config/config.ts';
import { codeOf } from '../../core/errors.ts';
import { CHALLENGE_PATH } from './challenge-tokens.ts';

export interface ChallengeListener {
  /** Whether each address could be opened: null, or the code of why not (`EADDRINUSE`, `EACCES`, …). */
  readonly refusals: readonly (string | null)[];
  /** Bound ports, of those that could be opened. */
  readonly ports: readonly number[];
  close(): Promise<void>;
}

/** `answer`: the body for a host (without a port) and token, or null. Never rejects: what cannot be opened is told. */
export async function openChallengeListener(
  addresses: readonly ListenAddress[],
  answer: (host: string, token: string) => string | null,
): Promise<ChallengeListener> {
  const opened: Server[] = [];
  const refusals = await Promise.all(
    addresses.map(async ({ host, port }) => {
      const server = answering(answer);
      try {
        await listen(server, host, port);
        opened.push(server);
        return null;
      } catch (error) {
        return codeOf(error) || 'failed';
      }
    }),
  );
  return {
    refusals,
    ports: opened.map((server) => (server.address() as { port: number }).port),
    close: async () => {
      await Promise.all(
        opened.map((server) => {
          server.closeAllConnections();
          return new Promise((resolve) => server.close(resolve));
        }),
      );
    },
  };
}

function answering(answer: (host: string, token: string) => string | null): Server {
  return createServer((request, response) => {
    const { method = '', url = '', headers } = request;
    const host = (headers.host ?? '').replace(/:\d+$/, '');
    const isRead = method === 'GET' || method === 'HEAD';
    const body = isRead && url.startsWith(CHALLENGE_PATH) ? answer(host, url.slice(CHALLENGE_PATH.length)) : null;
    response.writeHead(body === null ? 404 : 200, { 'content-type': 'application/octet-stream', connection: 'close' });
    response.end(body ?? 'Not Found\n');
  });
}

function listen(server: Server, host: string | null, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, ...(host === null ? {} : { host }) }, () => {
      server.off('error', reject);
      server.on('error', () => {});
      resolve();
    });
  });
}
