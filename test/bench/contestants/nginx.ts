// nginx as a contestant.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PeerProgram } from '../peer-program.ts';
import { CANNED, type Contestant, launchOf, type Placement, type UpstreamKind } from './contestant.ts';

export function nginxContestant(program: PeerProgram): Contestant {
  return {
    name: 'nginx',
    version: program.version,
    setting:
      'worker_processes 1; keepalive 256; proxy_request_buffering off, so that it streams uploads as the others do',
    obstacle: () => null,
    prepare: async (placement) => {
      const file = join(placement.folder, 'nginx.conf');
      await writeFile(file, configuration(placement));
      return launchOf(program, ['-p', placement.folder, '-e', 'stderr', '-c', file]);
    },
  };
}

function configuration({ folder, port, upstream, upstreamPort, certFile, keyFile }: Placement): string {
  return `${nginxPreamble(folder)}
http {
  ${nginxHttpCommon(folder)}
  ${upstream === 'none' ? '' : `upstream origin { server 127.0.0.1:${upstreamPort}; keepalive 256; keepalive_requests 1000000000; }`}
  map $http_upgrade $connection_up { default upgrade; '' ''; }
  server {
    listen 127.0.0.1:${port} ssl backlog=4096;
    http2 on;
    ssl_certificate ${certFile};
    ssl_certificate_key ${keyFile};
    ssl_protocols TLSv1.3;
    client_max_body_size 0;
    location / {
      ${LOCATIONS[upstream].join('\n      ')}
    }
  }
}
`;
}

const LOCATIONS: Readonly<Record<UpstreamKind, readonly string[]>> = {
  http1: [
    'proxy_pass http://origin;',
    'proxy_http_version 1.1;',
    'proxy_request_buffering off;',
    'proxy_set_header Host $http_host;',
    'proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;',
    'proxy_set_header X-Forwarded-Proto $scheme;',
    'proxy_set_header Upgrade $http_upgrade;',
    'proxy_set_header Connection $connection_up;',
  ],
  h2c: [
    'proxy_pass http://origin;',
    'proxy_http_version 2;',
    'proxy_request_buffering off;',
    'proxy_set_header Host $http_host;',
    'proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;',
    'proxy_set_header X-Forwarded-Proto $scheme;',
  ],
  grpc: [
    'grpc_pass grpc://origin;',
    'grpc_set_header X-Forwarded-For $proxy_add_x_forwarded_for;',
    'grpc_set_header X-Forwarded-Proto $scheme;',
  ],
  none: [`default_type text/plain; return 200 "${CANNED}";`],
};

/** In the foreground, one worker, nothing outside its folder. The origin has it too. */
export function nginxPreamble(folder: string): string {
  // A worker of root's nginx would be "nobody", who may not enter the folder.
  const user = process.getuid?.() === 0 ? 'user root;\n' : '';
  return `${user}daemon off;
worker_processes 1;
pid ${join(folder, 'nginx.pid')};
error_log stderr crit;
events { worker_connections 9000; }`;
}

export function nginxHttpCommon(folder: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${join(folder, name)};`)
    .join(' ');
  return `access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; ${temporary}
  keepalive_requests 1000000000; keepalive_timeout 300s;`;
}
