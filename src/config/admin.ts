// The `admin` section: where a running process is asked what goes on and told to load its file again.
import { isIP, isIPv4, isIPv6 } from 'node:net';
import { join, resolve } from 'node:path';
import { socketPathProblem } from '../core/socket-path.ts';
import type { AdminConfig } from './config.ts';
import { DEFAULT_ADMIN_SOCKET, RUN_ADMIN_SOCKET } from './defaults.ts';
import type { Draft } from './draft.ts';
import { meant, mistaken, type Parsed } from './parsed.ts';
import type { RawConfig } from './schema.ts';

export const ADMIN_FORMS =
  'the path of a socket such as /run/perantara/admin.sock, a mapping with address and token, or off';
export const LOOPBACK_FORMS = '127.0.0.1:2019 or [::1]:2019';
/** What nobody guesses in the lifetime of a machine, and everybody who reads this copies. */
const MAKE_TOKEN = 'at least 16 characters, as from: openssl rand -hex 24';

export interface AdminAddress {
  readonly host: string;
  readonly port: number;
}

/** A path with a `/` in it, or `off`. */
export function parseAdminPlace(written: string | number): Parsed<string> {
  const text = String(written).trim();
  if (text === 'off') return meant(text);
  if (/^\d+$|^[^/]*:\d+$/.test(text))
    return mistaken('an address needs a token beside it', { allowed: `{ address: ${LOOPBACK_FORMS}, token: … }` });
  if (text.includes('://')) return mistaken('it is a URL', { allowed: ADMIN_FORMS });
  if (/[\u0000-\u001f\u007f]/.test(text)) return mistaken('it has control characters', { allowed: ADMIN_FORMS });
  if (!text.includes('/')) return mistaken('it is not a path', { allowed: ADMIN_FORMS });
  if (text.endsWith('/')) return mistaken('it is a folder', { allowed: ADMIN_FORMS, suggestion: `${text}admin.sock` });
  return meant(text);
}

export function parseAdminAddress(written: string | number): Parsed<AdminAddress> {
  const allowed = LOOPBACK_FORMS;
  const text = String(written).trim();
  if (/^:?\d+$/.test(text))
    return mistaken('it is every address of this machine', {
      allowed,
      suggestion: `127.0.0.1:${text.replace(':', '')}`,
    });
  const match = /^(\[[^\]]*\]|[^:]*):(\d{1,5})$/.exec(text);
  if (match === null) return mistaken('it is not an address with a port', { allowed });
  const [, name, digits] = match as unknown as [string, string, string];
  const port = Number(digits);
  if (port > 65_535) return mistaken('its port is not valid', { allowed });
  const host = name.replace(/^\[(.*)\]$/, '$1');
  if (host === 'localhost') return mistaken('a name may lead anywhere', { allowed, suggestion: `127.0.0.1:${digits}` });
  if (isIP(host) === 0) return mistaken('it is not an IP address', { allowed });
  const isLoopback = isIPv4(host) ? host.startsWith('127.') : /^(0{0,4}:)+0{0,3}1$/.test(host);
  if (!isLoopback)
    return mistaken('other machines could reach it there; only loopback addresses are allowed', { allowed });
  return meant({ host: isIPv6(host) ? '::1' : host, port });
}

/** What a header field can carry and nobody guesses. */
export function parseAdminToken(written: string): Parsed<string> {
  if (!/^[\x21-\x7e]+$/.test(written))
    return mistaken('it has characters that a header field cannot carry', { allowed: MAKE_TOKEN });
  if (written.length < 16) return mistaken('it is too short', { allowed: MAKE_TOKEN });
  return meant(written);
}

/** null: off, or not to be found out because what was written is wrong. */
export function readAdmin(raw: RawConfig['admin'], storage: string, draft: Draft): AdminConfig | null {
  const path = ['admin'];
  if (raw === 'off' || draft.isTainted(path)) return null;
  if (raw === undefined) {
    if (draft.isTainted(['storage'])) return null;
    const paths = [RUN_ADMIN_SOCKET, join(storage, DEFAULT_ADMIN_SOCKET)];
    return { kind: 'socket', paths, isDefault: true, position: draft.defaultPosition(path) };
  }
  const position = draft.positionAt(path);
  if (typeof raw !== 'string') return { kind: 'loopback', ...raw.address, token: raw.token, position };
  const socket = resolve(draft.folder, raw);
  const problem = socketPathProblem(socket);
  if (problem !== null) draft.errorAt(path, problem);
  return { kind: 'socket', paths: [socket], isDefault: false, position };
}
