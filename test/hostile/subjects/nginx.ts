// nginx in the comparison.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { launchOf } from '../../bench/contestants/contestant.ts';
import { nginxHttpCommon, nginxPreamble } from '../../bench/contestants/nginx.ts';
import type { PeerProgram } from '../../bench/peer-program.ts';
import { type Contender, type Site, TIMEOUT_SECONDS } from './contender.ts';

export function nginxContender(program: PeerProgram): Contender {
  return {
    name: 'nginx',
    version: program.version,
    isOurs: false,
    noHttp2: null,
    setting:
      '`http2 on`, `proxy_http_version 1.1`, `proxy_request_buffering off`, `Host $http_host`, `X-Forwarded-For $proxy_add_x_forwarded_for`, Upgrade passed on as its manual shows',
    prepare: async (site) => {
      const file = join(site.folder, 'nginx.conf');
      await writeFile(file, configuration(site));
      return launchOf(program, ['-p', site.folder, '-e', 'stderr', '-c', file]);
    },
  };
}

function configuration({ folder, port, publicPort, guardedPort, certFile, keyFile }: Site): string {
  const seconds = `${TIMEOUT_SECONDS}s`;
  return `${nginxPreamble(folder)}
http {
  ${nginxHttpCommon(folder).replace(/keepalive_requests \d+; keepalive_timeout \d+s/, `keepalive_timeout ${seconds}`)}
  client_header_timeout ${seconds}; client_body_timeout ${seconds}; send_timeout ${seconds};
  proxy_connect_timeout ${seconds}; proxy_send_timeout ${seconds}; proxy_read_timeout ${seconds};
  upstream public { server 127.0.0.1:${publicPort}; keepalive 8; }
  upstream guarded { server 127.0.0.1:${guardedPort}; keepalive 8; }
  map $http_upgrade $connection_up { default upgrade; '' ''; }
  server {
    listen 127.0.0.1:${port} ssl;
    http2 on;
    server_name app.localhost;
    ssl_certificate ${certFile};
    ssl_certificate_key ${keyFile};
    client_max_body_size 0;
    proxy_http_version 1.1;
    proxy_request_buffering off;
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $connection_up;
    location / { proxy_pass http://public; }
    location /admin/ { proxy_pass http://guarded; }
  }
}
`;
}
