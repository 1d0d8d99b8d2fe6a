// Records put into a zone by dynamic update (RFC 2136), signed by TSIG (RFC 8945). Over TCP only: an answer cannot be forged
// from outside the path, and none is cut short.
import { randomInt } from 'node:crypto';
import { type DecodedPacket, decode, encode } from 'dns-packet';
import type { Clock } from '../../core/clock.ts';
import { messageOf, PerantaraError } from '../../core/errors.ts';
import { exchangeTcp } from './exchange.ts';
import { ancestors, zoneIn } from './lookup.ts';
import type { DnsProvider, DnsRecord } from './provider.ts';
import { readServerAddress, type ServerAddress, showServerAddress } from './server-address.ts';
import { BADKEY, BADSIG, BADTIME, judgeAnswer, readTsigKey, signMessage, type TsigKey } from './tsig.ts';

export interface Rfc2136ProviderOptions {
  /** `host:port` */
  readonly server: string;
  /** null: asked of the server by SOA. */
  readonly zone: string | null;
  readonly tsig: { readonly name: string; readonly algorithm: string; readonly secret: string } | null;
  readonly clock: Clock;
}

const UPDATE = 5 << 11;
/** RFC 2136 section 2.4: of a record that is to be removed. */
const NONE = 254;

export class Rfc2136Provider implements DnsProvider {
  readonly name: string;
  readonly #options: Rfc2136ProviderOptions;
  readonly #server: ServerAddress;
  readonly #key: TsigKey | null;

  /** Throws a PerantaraError when the key cannot be used. */
  constructor(options: Rfc2136ProviderOptions) {
    this.#options = options;
    this.#server = readServerAddress(options.server);
    this.#key = options.tsig === null ? null : readTsigKey(options.tsig);
    this.name = `name server ${showServerAddress(this.#server)}`;
  }

  async present(record: DnsRecord, signal: AbortSignal): Promise<void> {
    await this.#update(`add the TXT record at "${record.fqdn}" by update`, record, 'add', signal);
  }

  async cleanUp(record: DnsRecord, signal: AbortSignal): Promise<void> {
    await this.#update(`remove the TXT record at "${record.fqdn}" by update`, record, 'remove', signal);
  }

  async #update(action: string, record: DnsRecord, change: 'add' | 'remove', signal: AbortSignal): Promise<void> {
    const zone = this.#options.zone ?? (await this.#zoneOf(record.fqdn, action, signal));
    const message = updateMessage(zone, record, change);
    if (this.#key === null) {
      this.#judge(action, zone, await this.#exchange(action, message, signal));
      return;
    }
    const nowSeconds = (): number => Math.floor(this.#options.clock.now() / 1_000);
    const signed = signMessage(message, this.#key, nowSeconds());
    const answer = await this.#exchange(action, signed.message, signal);
    const verdict = judgeAnswer(answer, this.#key, signed.mac, nowSeconds());
    if (verdict.state === 'refused') throw this.#failure(action, this.#tsigRefusal(verdict.error, verdict.serverTime));
    if (verdict.state === 'invalid') throw this.#failure(action, `its answer is not believed: ${verdict.why}`);
    this.#judge(action, zone, answer);
    if (verdict.state === 'unsigned')
      throw this.#failure(
        action,
        'its answer is not believed: it is not signed; check that the key belongs to this server',
      );
  }

  /** The zone as the server itself knows it: every question about a name in it is answered with its SOA record. */
  async #zoneOf(fqdn: string, action: string, signal: AbortSignal): Promise<string> {
    for (const name of ancestors(fqdn)) {
      const id = randomInt(0x10000);
      const message = encode({ type: 'query', id, questions: [{ name, type: 'SOA', class: 'IN' }] });
      const packet = this.#read(action, message, await this.#exchange(action, message, signal));
      const zone = zoneIn([...(packet.answers ?? []), ...(packet.authorities ?? [])], fqdn);
      if (zone !== null) return zone;
    }
    throw this.#failure(action, `it has no zone for "${fqdn}"; name the zone in dns.rfc2136.zone`);
  }

  async #exchange(action: string, message: Buffer, signal: AbortSignal): Promise<Buffer> {
    try {
      return await exchangeTcp(this.#server, message, signal);
    } catch (error) {
      signal.throwIfAborted();
      const state = `it is unreachable over TCP (${messageOf(error)}); check dns.rfc2136.server`;
      throw this.#failure(action, state, { retryable: true, cause: error });
    }
  }

  #read(action: string, message: Buffer, answer: Buffer): DecodedPacket & { readonly rcode: string } {
    const packet = decoded(answer);
    if (packet?.flag_qr && answer.readUInt16BE(0) === message.readUInt16BE(0)) return packet;
    throw this.#failure(action, 'it answers with something that is no DNS answer', { retryable: true });
  }

  #judge(action: string, zone: string, answer: Buffer): void {
    const rcode = decoded(answer)?.rcode ?? 'nothing readable';
    if (rcode === 'NOERROR') return;
    const advice = ADVICE[rcode] ?? 'see its log';
    throw this.#failure(action, `it answers ${rcode} for zone "${zone}": ${advice}`, {
      retryable: rcode === 'SERVFAIL',
    });
  }

  #tsigRefusal(error: number, serverTime: number | null): string {
    const { name = '', algorithm = '' } = this.#key ?? {};
    const key = `TSIG key "${name}"`;
    if (error === BADSIG) return `it answers BADSIG: ${key} has another secret there; check dns.rfc2136.tsig.secret`;
    if (error === BADKEY)
      return `it answers BADKEY: it does not know ${key} with ${algorithm}; check name and algorithm in dns.rfc2136.tsig`;
    if (error !== BADTIME) return `it refuses the signature of ${key} with error ${error}`;
    const skew = serverTime === null ? null : Math.round(this.#options.clock.now() / 1_000) - serverTime;
    const apart = skew === null ? '' : ` (ours is ${Math.abs(skew)} s ${skew < 0 ? 'behind' : 'ahead'})`;
    return `it answers BADTIME: its clock and ours are too far apart${apart}; set both`;
  }

  #failure(action: string, state: string, more: { retryable?: boolean; cause?: unknown } = {}): PerantaraError {
    return new PerantaraError(`cannot ${action} at ${this.name}: ${state}`, {
      code: 'dns_provider_failed',
      source: 'operator',
      ...more,
    });
  }
}

const ADVICE: Readonly<Record<string, string>> = {
  NOTAUTH:
    'it is not the primary server of this zone, or the key may not be used there; check dns.rfc2136.server and zone',
  NOTZONE: 'the name does not lie in this zone; check dns.rfc2136.zone',
  REFUSED: 'the key may not update this name; check the update policy of the zone',
  NOTIMP: 'it takes no dynamic updates',
  SERVFAIL: 'it could not change the zone; see its log (is its zone file writable?)',
  FORMERR: 'it does not understand the update',
};

function decoded(answer: Buffer): (DecodedPacket & { readonly rcode: string }) | null {
  try {
    return decode(answer) as DecodedPacket & { readonly rcode: string };
  } catch {
    return null;
  }
}

/** RFC 2136 section 2.5.1 (add to the set of records) and 2.5.4 (remove this one from it). */
function updateMessage(zone: string, { fqdn, value, ttlSeconds }: DnsRecord, change: 'add' | 'remove'): Buffer {
  const ttl = change === 'add' ? ttlSeconds : 0;
  const head = { type: 'query', id: randomInt(0x10000), flags: UPDATE } as const;
  const questions = [{ name: zone, type: 'SOA', class: 'IN' } as const];
  const record = { name: fqdn, type: 'TXT', class: 'IN', ttl, data: [Buffer.from(value)] } as const;
  const message = encode({ ...head, questions, authorities: [record] as never });
  // dns-packet has no word for this class. It stands before time to live, length and data of the only record.
  if (change === 'remove') message.writeUInt16BE(NONE, message.length - (value.length + 1) - 2 - 4 - 2);
  return message;
}
