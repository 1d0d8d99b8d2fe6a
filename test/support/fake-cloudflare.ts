// Cloudflare's API as far as TXT records need it: zones by name, records with ids, errors in its form. To be put behind startService.
import type { ServiceReply, ServiceRequest } from './fake-service.ts';

interface StoredRecord {
  readonly id: string;
  readonly type: string;
  readonly name: string;
  readonly content: string;
  readonly ttl: number;
}

export class FakeCloudflare {
  records: StoredRecord[] = [];
  /** `POST /zones/…`, below the base path. */
  readonly paths: string[] = [];
  readonly #token: string;
  readonly #zones: Readonly<Record<string, string>>;
  #count = 0;

  /** `zones`: name → id. */
  constructor(token: string, zones: Readonly<Record<string, string>>) {
    this.#token = token;
    this.#zones = zones;
  }

  put(name: string, text: string): void {
    this.records.push({ id: `r${++this.#count}`, type: 'TXT', name, content: `"${text}"`, ttl: 300 });
  }

  texts(name: string): string[] {
    return this.records.filter((each) => each.name === name).map(({ content }) => content.slice(1, -1));
  }

  reply({ method, path, headers, body }: ServiceRequest): ServiceReply {
    const given = headers.authorization ?? '';
    if (given !== `Bearer ${this.#token}`) {
      const chain = [{ code: 6111, message: `Invalid format for Authorization header of ${given.slice(7)}` }];
      return failure(403, 9109, 'Invalid access token', chain);
    }
    const { pathname, searchParams } = new URL(path.replace('/client/v4', ''), 'http://localhost');
    this.paths.push(`${method} ${pathname}`);
    if (method === 'GET' && pathname === '/zones') {
      const name = searchParams.get('name') ?? '';
      const id = this.#zones[name];
      return success(id === undefined ? [] : [{ id, name }]);
    }
    const [, zone, id] = /^\/zones\/([^/]+)\/dns_records(?:\/([^/]+))?$/.exec(pathname) ?? [];
    if (!Object.values(this.#zones).includes(zone ?? '')) return failure(404, 7003, 'Could not route to the zone');
    if (method === 'GET') return success(this.records.filter(({ name }) => name === searchParams.get('name.exact')));
    if (method === 'POST') return this.#create(body as Omit<StoredRecord, 'id'>);
    if (!this.records.some((each) => each.id === id)) return failure(404, 81044, 'Record does not exist.');
    this.records = this.records.filter((each) => each.id !== id);
    return success({ id });
  }

  #create({ type, name, content, ttl }: Omit<StoredRecord, 'id'>): ServiceReply {
    if (this.records.some((each) => each.name === name && each.content === content))
      return failure(400, 81058, 'An identical record already exists.');
    if (ttl < 60) return failure(400, 9021, 'Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic.');
    const record = { id: `r${++this.#count}`, type, name, content, ttl };
    this.records.push(record);
    return success(record);
  }
}

function success(result: unknown): ServiceReply {
  return { body: { success: true, errors: [], messages: [], result } };
}

function failure(status: number, code: number, message: string, chain: readonly object[] = []): ServiceReply {
  const error = chain.length === 0 ? { code, message } : { code, message, error_chain: chain };
  return { status, body: { success: false, errors: [error], messages: [], result: null } };
}
