// A small authoritative name server on loopback, over UDP and TCP, for as many zones as a test likes; also good as somebody's
// resolver, since it follows CNAMEs within what it knows. Takes signed updates (RFC 2136), and misbehaves on order.
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { type Answer, AUTHORITATIVE_ANSWER, decode, encode, type Question, TRUNCATED_RESPONSE } from 'dns-packet';
import { freePort } from './free-port.ts';
import { checkTsig, type TestKey, tsigAnswer } from './tsig-peer.ts';

export type RecordKind = 'A' | 'AAAA' | 'CNAME' | 'NS' | 'TXT';

export interface Inquiry {
  /** Lower case. */
  readonly name: string;
  readonly type: string;
  readonly protocol: 'udp' | 'tcp';
  /** The address of ours that was asked. */
  readonly at: string;
}

/** `silent`: no answer. `forged`: others' answers first, then the right one. Texts: these are claimed to be there. */
export type Misbehaviour =
  | 'SERVFAIL'
  | 'REFUSED'
  | 'silent'
  | 'truncated'
  | 'garbage'
  | 'forged'
  | { readonly texts: readonly string[] };

export interface Update {
  readonly name: string;
  readonly change: 'add' | 'remove';
  readonly text: string;
  readonly ttl: number;
  readonly zone: string;
}

export interface DnsServerOptions {
  /** Loopback addresses, all with one port. Default `127.0.0.1`. */
  readonly addresses?: readonly string[];
  /** Who may update. Default: everybody, unsigned. */
  readonly keys?: readonly TestKey[];
  /** Names that may be updated. Default all. */
  readonly mayUpdate?: (name: string) => boolean;
  /** How far its clock is ahead. Default 0. */
  readonly aheadSeconds?: number;
  /** How answers to updates are signed. Default: as they should. */
  readonly signing?: 'right' | 'none' | 'damaged';
}

export interface DnsServer {
  readonly port: number;
  /** `127.0.0.1:PORT` */
  readonly address: string;
  readonly inquiries: readonly Inquiry[];
  readonly updates: readonly Update[];
  /** Asked before each answer. Default: behaves. */
  misbehave(order: (inquiry: Inquiry) => Misbehaviour | null): void;
  /** Makes it a zone: a SOA record, and NS records with their addresses. */
  addZone(name: string, nameServers?: Readonly<Record<string, string>>): void;
  add(name: string, kind: RecordKind, data: string): void;
  remove(name: string, kind: RecordKind): void;
  texts(name: string): readonly string[];
  stop(): Promise<void>;
}

const UPDATE = 5;
const CODES: Readonly<Record<string, number>> = {
  NOERROR: 0,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  REFUSED: 5,
  NOTAUTH: 9,
  NOTZONE: 10,
};

export async function startDnsServer(options: DnsServerOptions = {}): Promise<DnsServer> {
  const server = new Loopback(options);
  await server.start();
  return server;
}

class Loopback implements DnsServer {
  port = 0;
  readonly inquiries: Inquiry[] = [];
  readonly updates: Update[] = [];
  readonly #options: DnsServerOptions;
  readonly #records = new Map<string, string[]>();
  readonly #zones = new Set<string>();
  readonly #udp: UdpSocket[] = [];
  readonly #tcp: Server[] = [];
  readonly #open = new Set<{ destroy(): unknown }>();
  #order: (inquiry: Inquiry) => Misbehaviour | null = () => null;

  constructor(options: DnsServerOptions) {
    this.#options = options;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    this.port = await freePort();
    for (const address of this.#options.addresses ?? ['127.0.0.1']) {
      const udp = createSocket('udp4');
      udp.on('message', (message, { port, address: from }) => {
        for (const answer of this.#answers(message, 'udp', address)) udp.send(answer, port, from);
      });
      udp.bind(this.port, address);
      await once(udp, 'listening');
      this.#udp.push(udp);
      const tcp = createServer((socket) => {
        let received = Buffer.alloc(0);
        socket
          .on('error', () => {})
          .on('data', (chunk: Buffer) => {
            received = Buffer.concat([received, chunk]);
            while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
              const end = 2 + received.readUInt16BE(0);
              const message = received.subarray(2, end);
              received = received.subarray(end);
              for (const answer of this.#answers(message, 'tcp', address)) socket.write(framed(answer));
            }
          });
        this.#open.add(socket.on('close', () => this.#open.delete(socket)));
      });
      await once(tcp.listen(this.port, address), 'listening');
      this.#tcp.push(tcp);
    }
  }

  misbehave(order: (inquiry: Inquiry) => Misbehaviour | null): void {
    this.#order = order;
  }

  addZone(name: string, nameServers: Readonly<Record<string, string>> = {}): void {
    this.#zones.add(name);
    for (const [host, address] of Object.entries(nameServers)) {
      this.add(name, 'NS', host);
      this.add(host, 'A', address);
    }
  }

  add(name: string, kind: RecordKind, data: string): void {
    const key = `${name.toLowerCase()} ${kind}`;
    const there = this.#records.get(key) ?? [];
    if (!there.includes(data)) this.#records.set(key, [...there, data]);
  }

  remove(name: string, kind: RecordKind): void {
    this.#records.delete(`${name.toLowerCase()} ${kind}`);
  }

  texts(name: string): readonly string[] {
    return this.#records.get(`${name} TXT`) ?? [];
  }

  async stop(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await Promise.all(this.#udp.splice(0).map((socket) => once(socket.close(), 'close')));
    await Promise.all(this.#tcp.splice(0).map((server) => once(server.close(), 'close')));
  }

  #answers(message: Buffer, protocol: 'udp' | 'tcp', at: string): Buffer[] {
    if (((message.readUInt16BE(2) >> 11) & 15) === UPDATE) return [this.#update(message)];
    const { id = 0, questions = [] } = decode(message);
    const question = questions[0]!;
    const name = question.name.toLowerCase();
    const inquiry = { name, type: question.type, protocol, at };
    this.inquiries.push(inquiry);
    const order = this.#order(inquiry);
    if (order === 'silent') return [];
    if (order === 'garbage') return [Buffer.from('this is no DNS message')];
    if (order === 'SERVFAIL' || order === 'REFUSED') return [respond(id, question, order, [], [])];
    if (order === 'truncated' && protocol === 'udp')
      return [respond(id, question, 'NOERROR', [], [], TRUNCATED_RESPONSE)];
    if (typeof order === 'object' && order !== null)
      return [
        respond(
          id,
          question,
          'NOERROR',
          order.texts.map((text) => record(name, 'TXT', text)),
          [],
        ),
      ];
    const { code, found, zone } = this.#find(name, question.type);
    const right = respond(id, question, code, found, found.length > 0 || zone === null ? [] : [soa(zone)]);
    if (order !== 'forged') return [right];
    const forged = { ...question, name: 'other.test' };
    return [respond(id ^ 1, question, 'SERVFAIL', [], []), respond(id, forged, 'SERVFAIL', [], []), right];
  }

  /** With the CNAMEs on the way, as a resolver shows them. */
  #find(name: string, type: string): { code: string; found: Answer[]; zone: string | null } {
    const found: Answer[] = [];
    let current = name;
    for (let hops = 0; hops < 20; hops++) {
      const zone = this.#zoneOf(current);
      if (type === 'SOA' && zone === current) return { code: 'NOERROR', found: [...found, soa(zone)], zone };
      const direct = this.#records.get(`${current} ${type}`) ?? [];
      if (direct.length > 0)
        return {
          code: 'NOERROR',
          found: [...found, ...direct.map((data) => record(current, type as RecordKind, data))],
          zone,
        };
      const alias = this.#aliasOf(current);
      if (alias === undefined) return { code: this.#absent(current, zone), found, zone };
      found.push(record(current, 'CNAME', alias));
      if (type === 'CNAME') return { code: 'NOERROR', found, zone };
      current = alias;
    }
    return { code: 'NOERROR', found, zone: null };
  }

  /** Wildcards stand for names that have no record at all. */
  #aliasOf(name: string): string | undefined {
    const own = this.#records.get(`${name} CNAME`)?.[0];
    return own ?? (this.#exists(name) ? undefined : this.#records.get(`*${name.slice(name.indexOf('.'))} CNAME`)?.[0]);
  }

  #absent(name: string, zone: string | null): string {
    if (zone === null) return 'REFUSED';
    return this.#exists(name) || name === zone ? 'NOERROR' : 'NXDOMAIN';
  }

  #exists(name: string): boolean {
    return [...this.#records.keys()].some(
      (key) => key.split(' ')[0] === name || key.split(' ')[0]!.endsWith(`.${name}`),
    );
  }

  #zoneOf(name: string): string | null {
    const zones = [...this.#zones].filter((zone) => name === zone || name.endsWith(`.${zone}`));
    return zones.sort((one, other) => other.length - one.length)[0] ?? null;
  }

  #update(message: Buffer): Buffer {
    const { keys, mayUpdate = () => true, aheadSeconds = 0, signing = 'right' } = this.#options;
    const now = Math.floor(Date.now() / 1_000) + aheadSeconds;
    const check = keys === undefined ? null : checkTsig(message, keys, now);
    const { id = 0, questions = [], authorities = [] } = decode(message);
    const zone = questions[0]!.name.toLowerCase();
    const reply = (code: string): Buffer => respond(id, questions[0]!, code, [], [], UPDATE << 11);
    if (check !== null && !check.ok) return tsigAnswer(reply('NOTAUTH'), check, now, 'right');
    let code = 'NOERROR';
    if (!this.#zones.has(zone)) code = 'NOTAUTH';
    else if (!authorities.every(({ name }) => name.endsWith(zone))) code = 'NOTZONE';
    else if (!authorities.every(({ name }) => mayUpdate(name))) code = 'REFUSED';
    else for (const each of authorities) this.#apply(zone, each);
    return check === null ? reply(code) : tsigAnswer(reply(code), check, now, signing);
  }

  #apply(zone: string, update: Answer): void {
    const { class: kind, ttl = 0, data } = update as Answer & { class: string; ttl: number; data: Buffer[] };
    const name = update.name.toLowerCase();
    const text = Buffer.concat(data).toString();
    const change = kind === 'IN' ? 'add' : 'remove';
    this.updates.push({ name, change, text, ttl, zone });
    if (change === 'add') {
      this.add(name, 'TXT', text);
      return;
    }
    if (kind !== 'UNKNOWN_254') throw new Error(`class ${kind} in an update`);
    const left = this.texts(name).filter((each) => each !== text);
    if (left.length === 0) this.remove(name, 'TXT');
    else this.#records.set(`${name} TXT`, left);
  }
}

function record(name: string, type: RecordKind, data: string): Answer {
  if (type !== 'TXT') return { name, type, ttl: 1, data } as Answer;
  // Longer ones come as several strings (RFC 1035 section 3.3.14).
  return { name, type, ttl: 1, data: data.match(/.{1,100}/gs) ?? [''] };
}

function soa(name: string): Answer {
  const data = {
    mname: `ns.${name}`,
    rname: `hostmaster.${name}`,
    serial: 1,
    refresh: 1,
    retry: 1,
    expire: 1,
    minimum: 1,
  };
  return { name, type: 'SOA', ttl: 1, data };
}

function respond(
  id: number,
  question: Question,
  code: string,
  answers: Answer[],
  authorities: Answer[],
  flags = 0,
): Buffer {
  const all = AUTHORITATIVE_ANSWER | flags | CODES[code]!;
  return encode({ type: 'response', id, flags: all, questions: [question], answers, authorities });
}

function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}
