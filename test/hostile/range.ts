// Where hostile inputs of HTTP/1.1 and TLS are tried: for each input what both sides of the proxy saw. After every input a
// normal request follows on the same connection, where that is open, and on a new one.
import { connectPlain, connectSecure, type Peer } from '../support/peer.ts';
import { messageEnd, type ReceivedMessage, splitMessage } from '../support/raw-message.ts';
import { askAlive, type Grounds, tellsAlive } from './grounds.ts';
import { type HandshakeCase, type HandshakeObservation, type Outcome, readOutcome } from './handshake-case.ts';
import type { HostileCase } from './hostile-case.ts';
import type { Observation } from './observation.ts';

export class Range {
  readonly #grounds: Grounds;

  constructor(grounds: Grounds) {
    this.#grounds = grounds;
  }

  async try(hostile: HostileCase): Promise<Observation> {
    const grounds = this.#grounds;
    grounds.script = hostile.script;
    const marks = grounds.marks();
    const client = await this.#connect(hostile);
    const { send } = hostile;
    const act = typeof send === 'function' ? send({ client, asked: () => grounds.asked(marks) }) : client.send(send);
    // A script may wait in vain, and a proxy may stop reading: what was seen tells.
    await grounds.settled(
      act.catch(() => {}),
      client,
    );
    const token = grounds.nextToken();
    const end = await this.#follow(hostile, client, token);
    const { answers, stray } = splitAnswers(client, hostile.head === true, token);
    const alive = await grounds.checkAlive();
    client.destroy();
    const { requests, leftover, carrier } = grounds.recorded(marks);
    const upstream = await grounds.fateOf(carrier, hostile.expect.upstream === 'dropped');
    return { answers, stray, end, requests, leftover, upstream, ...alive, died: await grounds.revive() };
  }

  async shake(hostile: HandshakeCase): Promise<HandshakeObservation> {
    const grounds = this.#grounds;
    const { port, redirectPort } = grounds.subject;
    const client = await connectPlain(hostile.to === 'redirect' ? redirectPort! : port);
    const outcome = (): Outcome | null => readOutcome(client.text, client.ended !== 'no');
    await grounds.settled(client.send(hostile.bytes), client);
    await grounds.within(() => outcome() !== null);
    if (outcome() !== 'ServerHello') await grounds.within(() => client.ended !== 'no');
    const closed = client.ended !== 'no';
    client.destroy();
    const { alive } = await grounds.checkAlive();
    return { outcome: outcome() ?? 'open', closed, alive, died: await grounds.revive() };
  }

  #connect({ via }: HostileCase): Promise<Peer> {
    const { port, redirectPort } = this.#grounds.subject;
    if (via === 'redirect') return connectPlain(redirectPort!);
    return via === 'tcp' ? connectPlain(port) : connectSecure(port);
  }

  /** Sends one more request behind the case where the connection allows it. */
  async #follow(hostile: HostileCase, client: Peer, token: string): Promise<Observation['end']> {
    const grounds = this.#grounds;
    const isOver = (): boolean => client.ended !== 'no';
    const finals = (): ReceivedMessage[] =>
      splitAnswers(client, hostile.head === true, token).answers.filter(
        ({ status }) => status >= 200 || status === 101,
      );
    if (hostile.unfinished !== true) {
      await grounds.within(() => isOver() || finals().length > 0);
      const isLast = finals().some((answer) => /\bclose\b/i.test(answer.fields('connection').join()));
      if (!isOver() && !isLast) {
        await grounds.settled(client.send(askAlive(token)), client);
        const isOwn = (): boolean => tellsAlive(client.text, token);
        await grounds.within(() => isOver() || isOwn());
        if (isOwn()) return 'kept';
      }
    }
    await grounds.within(isOver);
    return isOver() ? 'closed' : 'open';
  }
}

/** The whole answers before the one to the request named `token`, and what else there is. */
function splitAnswers(client: Peer, isHead: boolean, token: string): { answers: ReceivedMessage[]; stray: string } {
  const answers: ReceivedMessage[] = [];
  const { text } = client;
  let at = 0;
  while (text.startsWith('HTTP/1.', at)) {
    const isBodyless = isHead && !answers.some(({ status }) => status >= 200);
    const end = messageEnd(text, at, isBodyless, client.ended !== 'no');
    if (end === -1) break;
    const answer = splitMessage(text.slice(at, end));
    at = end;
    if (tellsAlive(answer.body, token)) return { answers, stray: text.slice(at) };
    answers.push(answer);
    if (answer.status === 101) break;
  }
  return { answers, stray: text.slice(at) };
}
