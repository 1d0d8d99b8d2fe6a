// What the conformance suite talks to: a Perantara with one site that answers by itself under /respond, with a body, and
// forwards everything else to an HTTP/1.1 origin. With H2_SUBJECT_PORT set, any other server on this machine instead.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startProxy } from '../../support/proxy-rig.ts';

export interface Subject {
  /** TLS with ALPN h2, for app.localhost. */
  readonly port: number;
  stop(): Promise<void>;
}

/** Who answers → the path at which it does. */
export const PATHS = { respond: '/respond', proxy: '/forwarded' } as const;
export type Answerer = keyof typeof PATHS;

/** What both answer with; longer than the small windows of the cases. */
export const BODY = 'an answer of some length '.repeat(40);

export async function startSubject(): Promise<Subject> {
  const foreign = process.env.H2_SUBJECT_PORT;
  if (foreign !== undefined) return { port: Number(foreign), stop: async () => {} };
  const origin = createServer((request, response) => {
    response.on('error', () => {});
    request.resume().on('end', () => {
      // What has been forwarded is told.
      response.setHeader('x-asked', `${request.method} ${request.url} ${request.headers.host}`);
      response.setHeader('x-cookies', JSON.stringify(request.headersDistinct.cookie ?? []));
      response.end(BODY);
    });
  });
  origin.listen(0, '127.0.0.1');
  await once(origin, 'listening');
  const { port } = origin.address() as AddressInfo;
  const routes = { [PATHS.respond]: { respond: BODY }, '/*': { proxy: `http://127.0.0.1:${port}` } };
  const rig = await startProxy({ sites: { 'app.localhost': { routes } } });
  return {
    port: rig.httpsPort,
    stop: async () => {
      await rig.stop();
      origin.closeAllConnections();
      await new Promise((resolve) => origin.close(resolve));
    },
  };
}
