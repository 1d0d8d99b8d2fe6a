// Where hostile inputs are tried: a proxy, two recording origins behind it, and for each input what both sides saw. After
// every input a normal request follows on the same connection, where that is open, and on a new one.
import { type Origin, ok, startOrigin } from '../support/origin.ts';
import { connectPlain, connectSecure, type Peer } from '../support/peer.ts';
import { messageEnd, type ReceivedMessage, splitMessage } from '../support/raw-message.ts';
import { type HandshakeCase, type HandshakeObservation, type Outcome, readOutcome } from './handshake-case.ts';
import type { HostileCase, OriginScript, Route, Setting } from './hostile-case.ts';
import type { Observation, SeenRequest } from './observation.ts';
import type { StartSubject, Subject } from './subject.ts';

const ALIVE = '/alive/';
const ROUTES: readonly Route[] = ['public', 'guarded'];

export interface RangeOptions {
  readonly start: StartSubject;
  readonly setting: Setting;
  /** How long any one thing is waited for; longer counts as never. */
  readonly patienceMs: number;
  /** Whether upstream connections that should be dropped are waited for. */
  readonly awaitsDrops: boolean;
}

export class Range {
  readonly #options: RangeOptions;
  readonly #origins: Readonly<Record<Route, Origin>>;
  readonly #cleanUps: (() => unknown)[];
  #subject: Subject;
  #script: OriginScript | undefined;
  #serial = 0;

  private constructor(
    options: RangeOptions,
    origins: Readonly<Record<Route, Origin>>,
    cleanUps: (() => unknown)[],
    subject: Subject,
  ) {
    this.#options = options;
    this.#origins = origins;
    this.#cleanUps = cleanUps;
    this.#subject = subject;
  }

  static async open(options: RangeOptions): Promise<Range> {
    const cleanUps: (() => unknown)[] = [];
    const t = { after: (act: () => unknown) => void cleanUps.push(act) };
    let range: Range | null = null;
    const script = (route: Route) => (asked: ReceivedMessage, peer: Peer) => range?.answer(route, asked, peer);
    const origins = {
      public: await startOrigin(t, script('public')),
      guarded: await startOrigin(t, script('guarded')),
    };
    const upstreams = { publicPort: origins.public.port, guardedPort: origins.guarded.port };
    try {
      range = new Range(options, origins, cleanUps, await options.start(upstreams, options.setting));
      return range;
    } catch (error) {
      for (const act of cleanUps) await act();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#subject.stop();
    for (const act of this.#cleanUps) await act();
  }

  /** What an origin does when it is asked. */
  answer(route: Route, asked: ReceivedMessage, peer: Peer): unknown {
    const whole = peer.message();
    whole.catch(() => {});
    const target = asked.startLine.split(' ')[1] ?? '';
    if (target.startsWith(ALIVE)) return peer.send(ok(`alive ${target.slice(ALIVE.length)}`));
    if (this.#script !== undefined) return this.#script(asked, peer, whole);
    return whole.then(() => peer.send(ok(route).replace('\r\n', `\r\nX-Route: ${route}\r\n`)));
  }

  async try(hostile: HostileCase): Promise<Observation> {
    this.#script = hostile.script;
    const marks = new Map(this.#peers().map(({ peer }) => [peer, peer.text.length]));
    const client = await this.#connect(hostile);
    const asked = async (): Promise<Peer> => {
      const isNew = (peer: Peer): boolean => peer.text.slice(marks.get(peer) ?? 0).includes('\r\n\r\n');
      await this.#within(() => this.#peers().some(({ peer }) => isNew(peer)));
      return this.#peers().find(({ peer }) => isNew(peer))!.peer;
    };
    const { send } = hostile;
    const act = typeof send === 'function' ? send({ client, asked }) : client.send(send);
    // A script may wait in vain, and a proxy may stop reading: what was seen tells.
    await this.#settled(
      act.catch(() => {}),
      client,
    );
    const token = `${++this.#serial}`;
    const end = await this.#follow(hostile, client, token);
    const { answers, stray } = splitAnswers(client, hostile.head === true, token);
    const alive = await this.#checkAlive();
    client.destroy();
    const { requests, leftover, carrier } = this.#recorded(marks);
    const isDropAwaited = this.#options.awaitsDrops && hostile.expect.upstream === 'dropped';
    const upstream = carrier === null ? null : await this.#fateOf(carrier, isDropAwaited);
    const died = this.#subject.died();
    if (died) await this.#restart();
    return { answers, stray, end, requests, leftover, upstream, ...alive, died };
  }

  async shake(hostile: HandshakeCase): Promise<HandshakeObservation> {
    const { port, redirectPort } = this.#subject;
    const client = await connectPlain(hostile.to === 'redirect' ? redirectPort! : port);
    const outcome = (): Outcome | null => readOutcome(client.text, client.ended !== 'no');
    await this.#settled(client.send(hostile.bytes), client);
    await this.#within(() => outcome() !== null);
    if (outcome() !== 'ServerHello') await this.#within(() => client.ended !== 'no');
    const closed = client.ended !== 'no';
    client.destroy();
    const { alive } = await this.#checkAlive();
    const died = this.#subject.died();
    if (died) await this.#restart();
    return { outcome: outcome() ?? 'open', closed, alive, died };
  }

  #connect({ via }: HostileCase): Promise<Peer> {
    if (via === 'redirect') return connectPlain(this.#subject.redirectPort!);
    return via === 'tcp' ? connectPlain(this.#subject.port) : connectSecure(this.#subject.port);
  }

  /** Sends one more request behind the case where the connection allows it. */
  async #follow(hostile: HostileCase, client: Peer, token: string): Promise<Observation['end']> {
    const isOver = (): boolean => client.ended !== 'no';
    const finals = (): ReceivedMessage[] =>
      splitAnswers(client, hostile.head === true, token).answers.filter(
        ({ status }) => status >= 200 || status === 101,
      );
    if (hostile.unfinished !== true) {
      await this.#within(() => isOver() || finals().length > 0);
      const isLast = finals().some((answer) => /\bclose\b/i.test(answer.fields('connection').join()));
      if (!isOver() && !isLast) {
        await this.#settled(client.send(askAlive(token)), client);
        const isOwn = (): boolean => tellsAlive(client.text, token);
        await this.#within(() => isOver() || isOwn());
        if (isOwn()) return 'kept';
      }
    }
    await this.#within(isOver);
    return isOver() ? 'closed' : 'open';
  }

  async #checkAlive(): Promise<{ alive: boolean; aliveGot: string }> {
    const token = `${++this.#serial}`;
    let got = '';
    try {
      const client = await connectSecure(this.#subject.port);
      await client.send(askAlive(token));
      await this.#settled(client.message(), client);
      got = client.text;
      client.destroy();
    } catch (error) {
      got = String(error);
    }
    const alive = got.startsWith('HTTP/1.1 200') && tellsAlive(got, token);
    // A process that crashes is gone a moment later than its connections.
    if (!alive) await this.#within(() => this.#subject.died());
    return { alive, aliveGot: alive ? '' : got };
  }

  /** What origins got since `marks`, and the connection that carried the last of it. */
  #recorded(marks: ReadonlyMap<Peer, number>) {
    const requests: SeenRequest[] = [];
    let leftover = '';
    let carrier: Peer | null = null;
    for (const { peer, route } of this.#peers()) {
      let at = marks.get(peer) ?? 0;
      for (;;) {
        const end = messageEnd(peer.text, at, false, false);
        if (end === -1) break;
        const request = splitMessage(peer.text.slice(at, end));
        at = end;
        if (request.startLine.includes(` ${ALIVE}`)) continue;
        requests.push({ ...request, route });
        carrier = peer;
      }
      if (at < peer.text.length) {
        leftover += peer.text.slice(at);
        carrier = peer;
      }
    }
    return { requests, leftover, carrier };
  }

  async #fateOf(carrier: Peer, isDropAwaited: boolean): Promise<Observation['upstream']> {
    if (isDropAwaited) await this.#within(() => carrier.ended !== 'no');
    if (carrier.ended !== 'no') return 'dropped';
    return carrier.text.includes(`GET ${ALIVE}${this.#serial} `) ? 'kept' : 'open';
  }

  async #restart(): Promise<void> {
    const { start, setting } = this.#options;
    await this.#subject.stop();
    const { public: open, guarded } = this.#origins;
    this.#subject = await start({ publicPort: open.port, guardedPort: guarded.port }, setting);
  }

  #peers(): { readonly peer: Peer; readonly route: Route }[] {
    return ROUTES.flatMap((route) => this.#origins[route].peers.map((peer) => ({ peer, route })));
  }

  /** Waits for the act, but no longer than for the end of the connection or for patience. */
  async #settled(act: Promise<unknown>, client: Peer): Promise<void> {
    let isDone = false;
    void act
      .catch(() => {})
      .finally(() => {
        isDone = true;
      });
    await this.#within(() => isDone || client.ended !== 'no');
  }

  /** Resolves when `check` holds or patience is over. */
  async #within(check: () => boolean): Promise<void> {
    const end = performance.now() + this.#options.patienceMs;
    while (!check() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

function askAlive(token: string): string {
  return `GET ${ALIVE}${token} HTTP/1.1\r\nHost: app.localhost\r\n\r\n`;
}

/** Whether the text ends with the answer to askAlive: the origin's, or a redirect that repeats the path. */
function tellsAlive(text: string, token: string): boolean {
  return new RegExp(`alive[ /]${token}\\n?$`).test(text);
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
