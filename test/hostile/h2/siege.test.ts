// Item 23, seen from beside: while connections flood in every way of cases/floods.ts, a normal client gets all of its answers;
// each offender is told ENHANCE_YOUR_CALM and disconnected; the work done for it is bounded; nothing of it stays.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CONCURRENT_STREAMS, RESETS } from '../../../src/http2/limits.ts';
import { type BareProxy, startBareProxy } from '../../support/bare-proxy.ts';
import { openH2 } from '../../support/h2-client.ts';
import { type Origin, ok, startOrigin } from '../../support/origin.ts';
import type { OriginScript } from '../hostile-case.ts';
import { BYSTANDER_PATH, startBystander } from './bystander.ts';
import { floodCases } from './cases/floods.ts';

const OFFENDERS = 3;
/** What one connection gets before it is over: its answers, or their first 64 KiB, and what its frames are answered with. */
const ANSWER_BYTES = CONCURRENT_STREAMS * 128 + 256 * 1024;

describe('floods', () => {
  const cleanUps: (() => unknown)[] = [];
  const t = { after: (act: () => unknown) => void cleanUps.push(act) };
  let proxy: BareProxy;
  let origin: Origin;
  let script: OriginScript = () => {};
  before(async () => {
    origin = await startOrigin(t, (asked, peer) => {
      if (asked.startLine.includes(BYSTANDER_PATH)) return peer.send(ok());
      const whole = peer.message();
      whole.catch(() => {});
      return script(asked, peer, whole);
    });
    proxy = await startBareProxy(t, origin.port, undefined, 'tls');
  });
  after(async () => {
    for (const act of cleanUps.reverse()) await act();
  });

  for (const { name, source, script: behaves, options, send } of floodCases)
    it(`${name} (${source})`, async (context) => {
      script = behaves!;
      const before = origin.requests.length;
      const bystander = await startBystander(context, proxy.port);
      const offenders = Array.from({ length: OFFENDERS }, async () => {
        const client = await openH2(context, proxy.port, { ...options, isJudged: false });
        await (send as (stage: object) => unknown)({ client });
        assert.equal((await client.gone()).code, 'ENHANCE_YOUR_CALM');
        await client.end();
        const bytes = client.frames.reduce((sum, { payload }) => sum + payload.length + 9, 0);
        assert.ok(bytes < ANSWER_BYTES, `it was sent ${bytes} bytes`);
        client.destroy();
      });
      await Promise.all(offenders);
      await bystander.leave(context);
      const forwarded = origin.requests.slice(before).filter((asked) => !asked.startLine.includes(BYSTANDER_PATH));
      const most = OFFENDERS * (RESETS.burst + CONCURRENT_STREAMS);
      assert.ok(forwarded.length <= most, `${forwarded.length} requests reached the origin`);
      context.diagnostic(`${forwarded.length} requests reached the origin`);
      proxy.target.closeIdle();
      await proxy.idle();
      assert.equal(proxy.sessions.size, 0);
      assert.equal(proxy.target.inflight, 0);
      assert.equal(proxy.target.connections, 0);
      assert.deepEqual(proxy.faults, []);
    });
});
