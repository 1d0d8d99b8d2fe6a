// Where hostile inputs over HTTP/2 are tried: for each input what both sides of the proxy saw. After every input a normal
// request follows on the same connection, where that is open, and one over HTTP/1.1 on a new one.
import { openH2 } from '../../support/h2-client.ts';
import { END_STREAM, windowUpdate } from '../../support/h2-frames.ts';
import { headers, requestFields } from '../../support/h2-headers.ts';
import type { H2Message } from '../../support/h2-message.ts';
import type { H2Peer } from '../../support/h2-peer.ts';
import { alivePath, type Grounds, tellsAlive } from '../grounds.ts';
import type { H2Case } from './h2-case.ts';
import { type H2Observation, outcomeOf } from './h2-observation.ts';

/** A stream that no case uses. */
const NEXT_STREAM = 1_000_001;

const isOver = ({ ended, reset }: H2Message): boolean => ended || reset !== null;

export class H2Range {
  readonly #grounds: Grounds;

  constructor(grounds: Grounds) {
    this.#grounds = grounds;
  }

  async try(hostile: H2Case): Promise<H2Observation> {
    const grounds = this.#grounds;
    const cleanUps: (() => unknown)[] = [];
    const t = { after: (act: () => unknown) => void cleanUps.push(act) };
    grounds.script = hostile.script;
    const marks = grounds.marks();
    const client = await openH2(t, grounds.subject.port, { ...hostile.options, isJudged: false });
    const { send, expect } = hostile;
    let isSent = false;
    const act = async (): Promise<void> => {
      await (Buffer.isBuffer(send) ? client.send(send) : send({ client, asked: () => grounds.asked(marks) }));
      isSent = true;
    };
    // A script may wait in vain, and a proxy may stop reading: what was seen tells.
    await grounds.settled(
      act().catch(() => {}),
      client,
    );
    const ids = new Set([...Object.keys(expect.streams).map(Number), 1]);
    const wasSent = isSent;
    const streams = [...ids].map((id) => client.stream(id));
    const awaited = streams.filter(({ stream }) => !/^$|unended$/.test(expect.streams[stream] ?? ''));
    const isSettled = (): boolean => awaited.every(isOver);
    await grounds.within(() => client.ended !== 'no' || client.goaway !== null || isSettled());
    const { end, nextGot } = await this.#follow(hostile, client);
    const goaway = client.goaway?.code ?? null;
    // Where it should have ended and goes on, what became of the request tells why.
    if (end === 'kept' && expect.ends !== 'kept' && Buffer.isBuffer(send))
      await grounds.within(() => client.ended !== 'no' || client.goaway !== null || isOver(client.stream(1)));
    const seen = {
      streams: Object.fromEntries(streams.map((message) => [message.stream, outcomeOf(message)])),
      message: (id: number) => client.stream(id),
      goaway,
      end,
      nextGot,
      wasSent,
      complaints: [...client.referee.complaints],
    };
    const alive = await grounds.checkAlive();
    for (const clean of cleanUps.reverse()) clean();
    const { requests, leftover, carrier } = grounds.recorded(marks);
    const upstream = await grounds.fateOf(carrier, expect.upstream === 'dropped');
    return { ...seen, requests, leftover, upstream, ...alive, died: await grounds.revive() };
  }

  /** Sends one more request behind the case where the connection allows it. */
  async #follow({ unfinished }: H2Case, client: H2Peer): Promise<Pick<H2Observation, 'end' | 'nextGot'>> {
    const grounds = this.#grounds;
    let nextGot = '';
    const isGone = (): boolean => client.ended !== 'no';
    if (unfinished !== true && client.goaway === null && !isGone()) {
      const token = grounds.nextToken();
      const asked = headers(NEXT_STREAM, requestFields(alivePath(token)), END_STREAM);
      const windows = client.habits.returnWindow ? [] : [windowUpdate(0, 1_000), windowUpdate(NEXT_STREAM, 1_000)];
      await grounds.settled(client.send(asked, ...windows), client);
      const next = client.stream(NEXT_STREAM);
      await grounds.within(() => isGone() || client.goaway !== null || isOver(next));
      if (next.ended && tellsAlive(next.body, token)) return { end: 'kept', nextGot };
      nextGot = `${next.fields?.map((field) => field.join(': ')).join('\n') ?? ''}\n${next.body}`;
    }
    await grounds.within(isGone);
    return { end: isGone() ? 'closed' : 'open', nextGot };
  }
}
