// The contenders that are installed.
import { findPeerProgram } from '../../bench/peer-program.ts';
import { caddyContender } from './caddy.ts';
import type { Contender, ContenderName } from './contender.ts';
import { haproxyContender } from './haproxy.ts';
import { httpProxyContender } from './http-proxy.ts';
import { nginxContender } from './nginx.ts';
import { perantaraContender } from './perantara.ts';

/** null when it is neither on PATH nor in the tree that PEERS names. */
export async function findContender(name: ContenderName): Promise<Contender | null> {
  if (name === 'perantara') return perantaraContender();
  if (name === 'http-proxy') return httpProxyContender();
  const program = await findPeerProgram(name);
  if (program === null) return null;
  const makers = { nginx: nginxContender, haproxy: haproxyContender, caddy: caddyContender };
  return makers[name](program);
}
