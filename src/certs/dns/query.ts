// One question to one name server (RFC 1035): over UDP, over TCP when the answer is cut short.
import { randomInt } from 'node:crypto';
import { type Answer, type DecodedPacket, decode, encode, RECURSION_DESIRED, type RecordType } from 'dns-packet';
import { codeOf, messageOf, PerantaraError } from '../../core/errors.ts';
import { printable } from '../../core/printable.ts';
import { exchangeTcp, exchangeUdp } from './exchange.ts';
import { type ServerAddress, showServerAddress } from './server-address.ts';
import { withinTime } from './time-limit.ts';

export interface DnsAnswer {
  /** RFC 6895 section 2.3: `NOERROR`, `NXDOMAIN`, `SERVFAIL`, … */
  readonly rcode: string;
  readonly answers: readonly Answer[];
  readonly authorities: readonly Answer[];
}

export interface DnsQuestion {
  /** Without the last dot. */
  readonly name: string;
  readonly type: RecordType;
  /** Whether the server is asked to look elsewhere for us. */
  readonly recursive: boolean;
}

const ANSWER_MS = 4_000;

/**
 * What the server answers, whatever its code. Rejects with `dns_unanswered` when there is no sensible answer within 4 s,
 * whose message completes `name server … `, or with the signal's reason.
 */
export async function query(server: ServerAddress, question: DnsQuestion, signal: AbortSignal): Promise<DnsAnswer> {
  const { name, type, recursive } = question;
  const id = randomInt(0x10000);
  const flags = recursive ? RECURSION_DESIRED : 0;
  const message = encode({ type: 'query', id, flags, questions: [{ name, type, class: 'IN' }] });
  const read = (answer: Buffer): DecodedPacket | null => readAnswer(answer, id, question);
  return withinTime(
    ANSWER_MS,
    signal,
    (limited) => exchange(server, message, read, limited),
    () => unanswered('does not answer'),
  );
}

async function exchange(
  server: ServerAddress,
  message: Buffer,
  read: (answer: Buffer) => DecodedPacket | null,
  signal: AbortSignal,
): Promise<DnsAnswer> {
  try {
    let packet = read(await exchangeUdp(server, message, (answer) => read(answer) !== null, signal));
    if (packet?.flag_tc) packet = read(await exchangeTcp(server, message, signal));
    if (packet === null) throw new Error('it answers with something that is no DNS answer');
    const { rcode } = packet as DecodedPacket & { readonly rcode: string };
    return { rcode, answers: packet.answers ?? [], authorities: packet.authorities ?? [] };
  } catch (error) {
    signal.throwIfAborted();
    throw codeOf(error) === 'ECONNREFUSED'
      ? unanswered('refuses connections', error)
      : unanswered(`is unreachable (${messageOf(error)})`, error);
  }
}

/** null when it is no answer to our question: forged, late or damaged. */
function readAnswer(answer: Buffer, id: number, { name, type }: DnsQuestion): DecodedPacket | null {
  try {
    const packet = decode(answer);
    const asked = packet.questions?.[0];
    const ours = packet.id === id && packet.flag_qr && asked?.type === type && sameName(asked.name, name);
    return ours ? packet : null;
  } catch {
    return null;
  }
}

function unanswered(state: string, cause?: unknown): PerantaraError {
  return new PerantaraError(state, { code: 'dns_unanswered', source: 'operator', retryable: true, cause });
}

/** RFC 4343; a last dot does not count. */
export function sameName(one: string, other: string): boolean {
  return plainName(one) === plainName(other);
}

/** Lower case, without the last dot. */
export function plainName(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}

/** The texts of the TXT records at `name`, or where the answer's CNAMEs lead from there; strings of one record joined, made printable. */
export function textsOf({ answers }: DnsAnswer): string[] {
  return answers.flatMap((answer) => (answer.type === 'TXT' ? [textOf(answer.data)] : []));
}

function textOf(data: unknown): string {
  const strings = (Array.isArray(data) ? data : [data]) as readonly (string | Buffer)[];
  return printable(strings.map((each) => (typeof each === 'string' ? each : each.toString('latin1'))).join(''));
}

/** For messages: `name server 192.0.2.1:53`, with its name when it has one. */
export function describeServer(server: ServerAddress, name: string | null = null): string {
  return name === null
    ? `name server ${showServerAddress(server)}`
    : `name server ${name} (${showServerAddress(server)})`;
}
