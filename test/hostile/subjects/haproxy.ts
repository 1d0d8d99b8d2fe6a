// HAProxy in the comparison.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { launchOf } from '../../bench/contestants/contestant.ts';
import type { PeerProgram } from '../../bench/peer-program.ts';
import { type Contender, type Site, TIMEOUT_SECONDS } from './contender.ts';

export function haproxyContender(program: PeerProgram): Contender {
  return {
    name: 'haproxy',
    version: program.version,
    isOurs: false,
    noHttp2: null,
    setting:
      '`alpn h2,http/1.1`, `http-reuse always`, `option forwardfor`, route by `path_beg`; without `normalize-uri`, which is off by default',
    prepare: async (site) => {
      const { folder, certFile, keyFile } = site;
      await writeFile(join(folder, 'site.pem'), (await readFile(certFile, 'utf8')) + (await readFile(keyFile, 'utf8')));
      const file = join(folder, 'haproxy.cfg');
      await writeFile(file, configuration(site));
      return launchOf(program, ['-db', '-q', '-f', file]);
    },
  };
}

function configuration({ folder, port, publicPort, guardedPort }: Site): string {
  const seconds = `${TIMEOUT_SECONDS}s`;
  return `global
  nbthread 1
  maxconn 1000
defaults
  mode http
  timeout client ${seconds}
  timeout server ${seconds}
  timeout connect ${seconds}
  timeout http-request ${seconds}
  timeout http-keep-alive ${seconds}
  timeout tunnel ${seconds}
  http-reuse always
frontend tls
  bind 127.0.0.1:${port} ssl crt ${join(folder, 'site.pem')} alpn h2,http/1.1
  option forwardfor
  http-request set-header X-Forwarded-Proto https
  acl is_admin path_beg /admin/
  use_backend guarded if is_admin
  default_backend public
backend public
  server public 127.0.0.1:${publicPort}
backend guarded
  server guarded 127.0.0.1:${guardedPort}
`;
}
