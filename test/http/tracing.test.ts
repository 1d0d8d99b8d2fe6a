import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HeaderList } from '../../src/http/header-list.ts';
import { parseTraceparent, writeTraceparent } from '../../src/http/trace-context.ts';
import { Tracing } from '../../src/http/tracing.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const VALID = `00-${TRACE}-${SPAN}-01`;

describe('a field traceparent', () => {
  it('is read as W3C Trace Context has it', () => {
    const known = { traceId: TRACE, parentId: SPAN };
    assert.deepEqual(parseTraceparent(VALID), { ...known, sampled: true });
    assert.deepEqual(parseTraceparent(`00-${TRACE}-${SPAN}-00`), { ...known, sampled: false });
    assert.deepEqual(parseTraceparent(`00-${TRACE}-${SPAN}-fe`), { ...known, sampled: false }, 'one flag is known');
    assert.deepEqual(parseTraceparent(`cc-${TRACE}-${SPAN}-01`), { ...known, sampled: true }, 'a later version');
    assert.deepEqual(parseTraceparent(`cc-${TRACE}-${SPAN}-01-more`), { ...known, sampled: true });
  });

  it('counts as absent when anything about it is wrong', () => {
    for (const field of [
      '',
      'x',
      VALID.toUpperCase(),
      ` ${VALID}`,
      `${VALID} `,
      `${VALID}-more`,
      `${VALID}x`,
      `cc-${TRACE}-${SPAN}-01.more`,
      `ff-${TRACE}-${SPAN}-01`,
      `0-${TRACE}-${SPAN}-01`,
      `00-${'0'.repeat(32)}-${SPAN}-01`,
      `00-${TRACE}-${'0'.repeat(16)}-01`,
      `00-${TRACE.slice(1)}-${SPAN}-01`,
      `00-${TRACE}-${SPAN}-1`,
      `00-${TRACE}-${SPAN}`,
      `00-${TRACE}-${SPAN}-0g`,
      `00_${TRACE}-${SPAN}-01`,
      `${VALID}\n`,
      `${VALID}, ${VALID}`,
    ])
      assert.equal(parseTraceparent(field), null, JSON.stringify(field));
  });

  it('is written so that it can be read', () => {
    for (const sampled of [true, false]) {
      const written = writeTraceparent({ traceId: TRACE, spanId: SPAN, sampled });
      assert.deepEqual(parseTraceparent(written), { traceId: TRACE, parentId: SPAN, sampled });
    }
  });
});

describe('a request that is followed', () => {
  const follow = (exported: boolean, ...flat: readonly string[]) => {
    const headers = new HeaderList(flat);
    const context = new Tracing({ sampleRatio: 1, exported }).follow(headers);
    return { context, headers, sent: parseTraceparent(headers.get('traceparent') ?? '') };
  };

  it('goes on in its trace, from our span, with what others say of it', () => {
    const { context, headers, sent } = follow(
      true,
      'Accept',
      '*/*',
      'TraceParent',
      VALID,
      'Tracestate',
      'a=b,c=d',
      'TraceState',
      'e=f',
    );
    assert.deepEqual([context.traceId, context.parentId, context.sampled], [TRACE, SPAN, true]);
    assert.notEqual(context.spanId, SPAN);
    assert.deepEqual(sent, { traceId: TRACE, parentId: context.spanId, sampled: true });
    assert.deepEqual([headers.count('traceparent'), headers.get('accept')], [1, '*/*']);
    assert.equal(headers.getJoined('tracestate'), 'a=b,c=d, e=f');
  });

  it('is not recorded when whoever began the trace does not want that', () => {
    const { context, sent } = follow(true, 'traceparent', `00-${TRACE}-${SPAN}-00`);
    assert.deepEqual([context.sampled, sent?.sampled], [false, false]);
  });

  it('keeps its field as it is where nobody would come to know our span', () => {
    const later = `cc-${TRACE}-${SPAN}-03-more`;
    const { context, headers } = follow(false, 'traceparent', later, 'tracestate', 'a=b');
    assert.deepEqual(headers.flat, ['traceparent', later, 'tracestate', 'a=b']);
    assert.deepEqual([context.traceId, context.spanId], [TRACE, SPAN]);
  });

  it('begins a trace where there is none, or none that is valid, or two', () => {
    for (const flat of [[], ['traceparent', 'x', 'tracestate', 'a=b'], ['traceparent', VALID, 'Traceparent', VALID]])
      for (const exported of [true, false]) {
        const { context, headers, sent } = follow(exported, ...flat);
        assert.deepEqual([context.parentId, headers.count('traceparent'), headers.count('tracestate')], [null, 1, 0]);
        assert.deepEqual(sent, { traceId: context.traceId, parentId: context.spanId, sampled: true });
        assert.notEqual(context.traceId, TRACE);
      }
  });
});

describe('traces that begin here', () => {
  it('are recorded as often as is wanted', () => {
    for (const [sampleRatio, least, most] of [
      [0, 0, 0],
      [0.25, 700, 1_300],
      [1, 4_000, 4_000],
    ] as const) {
      const tracing = new Tracing({ sampleRatio, exported: true });
      let sampled = 0;
      for (let i = 0; i < 4_000; i++) if (tracing.contextOf(null).sampled) sampled++;
      assert.ok(least <= sampled && sampled <= most, `${sampleRatio}: ${sampled}`);
    }
  });

  it('have names of their own', () => {
    const tracing = new Tracing({ sampleRatio: 1, exported: true });
    const names = new Set<string>();
    for (let i = 0; i < 4_000; i++) {
      const { traceId, spanId } = tracing.contextOf(null);
      assert.match(traceId, /^[0-9a-f]{32}$/);
      assert.match(spanId, /^[0-9a-f]{16}$/);
      names.add(traceId).add(spanId);
    }
    assert.equal(names.size, 8_000);
  });
});
