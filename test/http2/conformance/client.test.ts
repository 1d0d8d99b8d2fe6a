// Whether the HTTP/2 client towards upstreams does what RFC 9113 says: all cases of h2specd, the client half of h2spec, and
// what it leaves out of responses.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ACK, ENABLE_PUSH, frame, ping, SETTINGS, WINDOW_UPDATE } from '../../support/h2-frames.ts';
import { FRAMES, STREAMS } from './client-frames-cases.ts';
import { MALFORMED, RESPONSES } from './client-responses-cases.ts';
import { startUpstreamRig } from './upstream-rig.ts';

const SECTIONS = { responses: RESPONSES, 'malformed responses': MALFORMED, streams: STREAMS, frames: FRAMES };
for (const [title, cases] of Object.entries(SECTIONS))
  describe(`the client, ${title}`, () => {
    for (const [name, act, outcome, method] of cases)
      it(name, async (t) => {
        const rig = await startUpstreamRig(t);
        const { peer } = rig;
        const asked = rig.ask(method);
        peer.settings();
        await peer.head(1);
        await act(peer);
        await outcome(rig, asked);
        assert.deepEqual(peer.referee.complaints, []);
      });
  });

describe('the client, greeting', () => {
  it('begins with the preface and SETTINGS without push', async (t) => {
    const { peer } = await startUpstreamRig(t);
    await peer.until(({ type }) => type === WINDOW_UPDATE || type === SETTINGS, 'SETTINGS');
    assert.equal(peer.frames[0]!.type, SETTINGS);
    assert.equal(new Map(peer.frames[0]!.settings).get(ENABLE_PUSH), 0);
  });

  for (const [name, bytes] of [
    ['another frame than SETTINGS', ping()],
    ['an acknowledgement in their place', frame(SETTINGS, ACK, 0)],
    ['HTTP/1.1', Buffer.from('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n', 'latin1')],
  ] as const)
    it(`refuses ${name}`, async (t) => {
      const rig = await startUpstreamRig(t);
      const asked = rig.ask();
      rig.peer.send(bytes);
      await asked.over;
      assert.equal(asked.error?.source, 'upstream');
      await rig.peer.end();
    });
});
