// Where hostile inputs over HTTP/2 are tried: for each input what both sides of the proxy saw. After every input a normal
// request follows on the same connection, where that is open, and one over HTTP/1.1 on a new one.
import { openH2 } from '../../support/h2-client.ts';
import { END_STREAM, windowUpdate } from '../../support/h2-frames.ts';
import { headers, requestFields } from '../../support/h2-headers.ts';
import type { H2Peer } from '../../support/h2-peer.ts';
import { alivePath, type Grounds, tellsAlive } from '../grounds.ts';
import type { H2Case } from './h2-case.ts';
import { type H2Observation, outcomeOf } from './h2-observation.ts';

/** A stream that no case uses. */
const NEXT_STREAM = 1_000_001;

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
    const act = async (): Promise<unknown> =>
      Buffer.isBuffer(send) ? client.send(send) : send({ client, asked: () => grounds.asked(marks) });
    // A script may wait in vain, and a proxy may stop reading: what was seen tells.
    await grounds.settled(
      act().catch(() => {}),
      client,
    );
    const streams = Object.keys(expect.streams).map((id) => client.stream(Number(id)));
    const awaited = streams.filter(({ stream }) => !/^$|unended$/.test(expect.streams[stream]!));
    const isSettled = (): boolean => awaited.every(({ ended, reset }) => ended || reset !== null);
    await grounds.within(() => client.ended !== 'no' || client.goaway !== null || isSettled());
    const end = await this.#follow(hostile, client);
    const seen = {
      streams: Object.fromEntries(streams.map((message) => [message.stream, outcomeOf(message)])),
      message: (id: number) => client.stream(id),
      goaway: client.goaway?.code ?? null,
      end,
      complaints: [...client.referee.complaints],
    };
    const alive = await grounds.checkAlive();
    for (const clean of cleanUps.reverse()) clean();
    const { requests, leftover, carrier } = grounds.recorded(marks);
    const upstream = await grounds.fateOf(carrier, expect.upstream === 'dropped');
    return { ...seen, requests, leftover, upstream, ...alive, died: await grounds.revive() };
  }

  /** Sends one more request behind the case where the connection allows it. */
  async #follow({ unfinished }: H2Case, client: H2Peer): Promise<H2Observation['end']> {
    const grounds = this.#grounds;
    const isOver = (): boolean => client.ended !== 'no';
    if (unfinished !== true && client.goaway === null && !isOver()) {
      const token = grounds.nextToken();
      const asked = headers(NEXT_STREAM, requestFields(alivePath(token)), END_STREAM);
      const windows = client.habits.returnWindow ? [] : [windowUpdate(0, 1_000), windowUpdate(NEXT_STREAM, 1_000)];
      await grounds.settled(client.send(asked, ...windows), client);
      const next = client.stream(NEXT_STREAM);
      await grounds.within(() => isOver() || client.goaway !== null || next.ended || next.reset !== null);
      if (next.ended && tellsAlive(next.body, token)) return 'kept';
    }
    await grounds.within(isOver);
    return isOver() ? 'closed' : 'open';
  }
}
