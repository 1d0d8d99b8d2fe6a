// HAProxy as a contestant.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PeerProgram } from '../peer-program.ts';
import { CANNED, type Contestant, launchOf, type Placement } from './contestant.ts';

export function haproxyContestant(program: PeerProgram): Contestant {
  return {
    name: 'haproxy',
    version: program.version,
    setting: 'nbthread 1; http-reuse always; maxconn 9000',
    obstacle: () => null,
    prepare: async (placement) => {
      const { folder, certFile, keyFile } = placement;
      await writeFile(join(folder, 'site.pem'), (await readFile(certFile, 'utf8')) + (await readFile(keyFile, 'utf8')));
      const file = join(folder, 'haproxy.cfg');
      await writeFile(file, configuration(placement));
      return launchOf(program, ['-db', '-q', '-f', file]);
    },
  };
}

function configuration({ folder, port, upstream, upstreamPort }: Placement): string {
  const answer = `  http-request return status 200 content-type text/plain string "${CANNED}"`;
  const backend = `  default_backend origin
backend origin
  server origin 127.0.0.1:${upstreamPort} pool-max-conn 256`;
  const multiplexed = upstream === 'h2c' || upstream === 'grpc' ? ' proto h2' : '';
  return `global
  nbthread 1
  maxconn 9000
  ssl-default-bind-options ssl-min-ver TLSv1.3
defaults
  mode http
  timeout client 300s
  timeout server 60s
  timeout connect 3s
  timeout http-keep-alive 300s
  timeout tunnel 1h
  option http-keep-alive
  http-reuse always
frontend tls
  bind 127.0.0.1:${port} backlog 4096 ssl crt ${join(folder, 'site.pem')} alpn h2,http/1.1
  option forwardfor
  http-request set-header X-Forwarded-Proto https
${upstream === 'none' ? answer : `${backend}${multiplexed}`}
`;
}
