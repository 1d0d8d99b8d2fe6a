// What hostile inputs are tried on: a proxy, two recording origins behind it, and a normal request that tells whether it
// still serves. How the inputs are sent: range.ts, h2/h2-range.ts.
import { type Origin, ok, startOrigin } from '../support/origin.ts';
import { connectSecure, type Peer } from '../support/peer.ts';
import { messageEnd, type ReceivedMessage, splitMessage } from '../support/raw-message.ts';
import type { OriginScript, Route, Setting } from './hostile-case.ts';
import type { Observation, SeenRequest } from './observation.ts';
import type { StartSubject, Subject } from './subject.ts';

const ALIVE = '/alive/';
const ROUTES: readonly Route[] = ['public', 'guarded'];

export interface GroundsOptions {
  readonly start: StartSubject;
  readonly setting: Setting;
  /** How long any one thing is waited for; longer counts as never. */
  readonly patienceMs: number;
  /** Whether upstream connections that should be dropped are waited for. */
  readonly awaitsDrops: boolean;
}

/** How much each connection of an origin had got. */
export type Marks = ReadonlyMap<Peer, number>;

export interface Recorded {
  readonly requests: readonly SeenRequest[];
  /** What is no whole request. */
  readonly leftover: string;
  /** The connection that carried the last of it. */
  readonly carrier: Peer | null;
}

export class Grounds {
  /** What an origin does when it is asked; default: 200. */
  script: OriginScript | undefined;
  readonly #options: GroundsOptions;
  readonly #origins: Readonly<Record<Route, Origin>>;
  readonly #cleanUps: (() => unknown)[];
  #subject: Subject;
  #serial = 0;

  private constructor(
    options: GroundsOptions,
    origins: Readonly<Record<Route, Origin>>,
    cleanUps: (() => unknown)[],
    subject: Subject,
  ) {
    this.#options = options;
    this.#origins = origins;
    this.#cleanUps = cleanUps;
    this.#subject = subject;
  }

  static async open(options: GroundsOptions): Promise<Grounds> {
    const cleanUps: (() => unknown)[] = [];
    const t = { after: (act: () => unknown) => void cleanUps.push(act) };
    let grounds: Grounds | null = null;
    const script = (route: Route) => (asked: ReceivedMessage, peer: Peer) => grounds?.answer(route, asked, peer);
    const origins = {
      public: await startOrigin(t, script('public')),
      guarded: await startOrigin(t, script('guarded')),
    };
    const upstreams = { publicPort: origins.public.port, guardedPort: origins.guarded.port };
    try {
      grounds = new Grounds(options, origins, cleanUps, await options.start(upstreams, options.setting));
      return grounds;
    } catch (error) {
      for (const act of cleanUps) await act();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#subject.stop();
    for (const act of this.#cleanUps) await act();
  }

  get subject(): Subject {
    return this.#subject;
  }

  answer(route: Route, asked: ReceivedMessage, peer: Peer): unknown {
    const whole = peer.message();
    whole.catch(() => {});
    const target = asked.startLine.split(' ')[1] ?? '';
    if (target.startsWith(ALIVE)) return peer.send(ok(`alive ${target.slice(ALIVE.length)}`));
    if (this.script !== undefined) return this.script(asked, peer, whole);
    return whole.then(() => peer.send(ok(route).replace('\r\n', `\r\nX-Route: ${route}\r\n`)));
  }

  /** A name for the next normal request. */
  nextToken(): string {
    return `${++this.#serial}`;
  }

  marks(): Marks {
    return new Map(this.#peers().map(({ peer }) => [peer, peer.text.length]));
  }

  /** Waits until an origin has been asked since `marks`; its end of that connection. */
  async asked(marks: Marks): Promise<Peer> {
    const isNew = (peer: Peer): boolean => peer.text.slice(marks.get(peer) ?? 0).includes('\r\n\r\n');
    await this.within(() => this.#peers().some(({ peer }) => isNew(peer)));
    return this.#peers().find(({ peer }) => isNew(peer))!.peer;
  }

  /** Whether a normal request on a new connection gets its own answer. */
  async checkAlive(): Promise<{ alive: boolean; aliveGot: string }> {
    const token = this.nextToken();
    let got = '';
    try {
      const client = await connectSecure(this.#subject.port);
      await client.send(askAlive(token));
      await this.settled(client.message(), client);
      got = client.text;
      client.destroy();
    } catch (error) {
      got = String(error);
    }
    const alive = got.startsWith('HTTP/1.1 200') && tellsAlive(got, token);
    // A process that crashes is gone a moment later than its connections.
    if (!alive) await this.within(() => this.#subject.died());
    return { alive, aliveGot: alive ? '' : got };
  }

  /** Closes connections that the proxy has left: an origin that never answers would keep thousands of them. */
  release(): void {
    for (const { peer } of this.#peers()) if (peer.ended !== 'no' && !peer.closed) peer.destroy();
  }

  /** Whether the proxy has died; then it has been started again. */
  async revive(): Promise<boolean> {
    if (!this.#subject.died()) return false;
    const { start, setting } = this.#options;
    await this.#subject.stop();
    const { public: open, guarded } = this.#origins;
    this.#subject = await start({ publicPort: open.port, guardedPort: guarded.port }, setting);
    return true;
  }

  /** What origins got since `marks`. */
  recorded(marks: Marks): Recorded {
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

  /** What became of an upstream connection; `shouldDrop`: what is expected. */
  async fateOf(carrier: Peer | null, shouldDrop: boolean): Promise<Observation['upstream']> {
    if (carrier === null) return null;
    if (this.#options.awaitsDrops && shouldDrop) await this.within(() => carrier.ended !== 'no');
    if (carrier.ended !== 'no') return 'dropped';
    return carrier.text.includes(`GET ${ALIVE}${this.#serial} `) ? 'kept' : 'open';
  }

  /** Waits for the act, but no longer than for the end of the connection or for patience. */
  async settled(act: Promise<unknown>, client: { readonly ended: Peer['ended'] }): Promise<void> {
    let isDone = false;
    void act
      .catch(() => {})
      .finally(() => {
        isDone = true;
      });
    await this.within(() => isDone || client.ended !== 'no');
  }

  /** Resolves when `check` holds or patience is over. */
  async within(check: () => boolean): Promise<void> {
    const end = performance.now() + this.#options.patienceMs;
    while (!check() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 1));
  }

  #peers(): { readonly peer: Peer; readonly route: Route }[] {
    return ROUTES.flatMap((route) => this.#origins[route].peers.map((peer) => ({ peer, route })));
  }
}

export function alivePath(token: string): string {
  return `${ALIVE}${token}`;
}

export function askAlive(token: string): string {
  return `GET ${alivePath(token)} HTTP/1.1\r\nHost: app.localhost\r\n\r\n`;
}

/** Whether the text ends with the answer to askAlive: the origin's, or a redirect that repeats the path. */
export function tellsAlive(text: string, token: string): boolean {
  return new RegExp(`alive[ /]${token}\\n?$`).test(text);
}
