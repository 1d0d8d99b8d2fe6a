// Caddy as a contestant. It says X-Forwarded-For and -Proto by itself.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PeerProgram } from '../peer-program.ts';
import { CANNED, type Contestant, launchOf, type Placement } from './contestant.ts';

export function caddyContestant(program: PeerProgram): Contestant {
  return {
    name: 'caddy',
    version: program.version,
    setting: 'GOMAXPROCS=1; keepalive_idle_conns_per_host 256 (default 32, which would reconnect under this load)',
    obstacle: () => null,
    prepare: async (placement) => {
      const { folder } = placement;
      const file = join(folder, 'Caddyfile');
      await writeFile(file, configuration(placement));
      const env = { GOMAXPROCS: '1', HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
      return { ...launchOf(program, ['run', '--adapter', 'caddyfile', '--config', file]), env };
    },
  };
}

function configuration({ folder, port, upstream, upstreamPort, certFile, keyFile }: Placement): string {
  const scheme = upstream === 'h2c' || upstream === 'grpc' ? 'h2c://' : '';
  const proxy = `reverse_proxy ${scheme}127.0.0.1:${upstreamPort} {
    transport http {
      keepalive_idle_conns_per_host 256
    }
  }`;
  return `{
  admin off
  auto_https off
  persist_config off
  storage file_system ${folder}
  servers {
    protocols h1 h2
  }
  log {
    output stderr
    level ERROR
  }
}
https://localhost:${port}, https://127.0.0.1:${port} {
  bind 127.0.0.1
  tls ${certFile} ${keyFile} {
    protocols tls1.3
  }
  ${upstream === 'none' ? `respond "${CANNED}"` : proxy}
}
`;
}
