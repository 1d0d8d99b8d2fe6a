// Caddy in the comparison. It says X-Forwarded-For, -Proto and -Host by itself.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { launchOf } from '../../bench/contestants/contestant.ts';
import type { PeerProgram } from '../../bench/peer-program.ts';
import { type Contender, type Site, TIMEOUT_SECONDS } from './contender.ts';

export function caddyContender(program: PeerProgram): Contender {
  return {
    name: 'caddy',
    version: program.version,
    isOurs: false,
    noHttp2: null,
    setting: '`handle /admin/*` and `handle`, each with `reverse_proxy`; `protocols h1 h2`',
    prepare: async (site) => {
      const file = join(site.folder, 'Caddyfile');
      await writeFile(file, configuration(site));
      const env = { HOME: site.folder, XDG_DATA_HOME: site.folder, XDG_CONFIG_HOME: site.folder };
      return { ...launchOf(program, ['run', '--adapter', 'caddyfile', '--config', file]), env };
    },
  };
}

function configuration({ folder, port, publicPort, guardedPort, certFile, keyFile }: Site): string {
  const seconds = `${TIMEOUT_SECONDS}s`;
  const proxy = (to: number): string => `reverse_proxy 127.0.0.1:${to} {
      transport http {
        dial_timeout ${seconds}
        response_header_timeout ${seconds}
        read_timeout ${seconds}
        write_timeout ${seconds}
      }
    }`;
  return `{
  admin off
  auto_https off
  persist_config off
  storage file_system ${folder}
  servers {
    protocols h1 h2
    timeouts {
      read_header ${seconds}
      read_body ${seconds}
      write ${seconds}
      idle ${seconds}
    }
  }
  log {
    output stderr
    level ERROR
  }
}
https://app.localhost:${port} {
  bind 127.0.0.1
  tls ${certFile} ${keyFile}
  handle /admin/* {
    ${proxy(guardedPort)}
  }
  handle {
    ${proxy(publicPort)}
  }
}
`;
}
