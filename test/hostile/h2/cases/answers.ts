// Items 15 and 16 for a client that speaks HTTP/2: the same answers of an origin as over HTTP/1.1, and the same outcomes. What
// is cut off there ends in RST_STREAM here: never in what looks like a clean end.
import assert from 'node:assert/strict';
import { data, END_STREAM } from '../../../support/h2-frames.ts';
import { headers, requestFields } from '../../../support/h2-headers.ts';
import { bodylessCases } from '../../cases/bodyless.ts';
import { leftOverCases } from '../../cases/left-over.ts';
import { responseCases } from '../../cases/responses.ts';
import type { HostileCase } from '../../hostile-case.ts';
import type { H2Case } from '../h2-case.ts';

/** One whole request, and nothing of it that matters only on its connection. */
function isOneRequest({ send, script, expect }: HostileCase): boolean {
  const requests =
    typeof send === 'string' ? send.split(/(?<=\r\n\r\n)/).filter((part) => / HTTP\/1\.1\r\n/.test(part)) : [];
  return requests.length === 1 && script !== undefined && expect.origin.length === 1;
}

function overHttp2({ item, name, source, send, script, expect }: HostileCase): H2Case {
  const [head, content] = (send as string).split('\r\n\r\n') as [string, string];
  const [method, path] = head.split(' ') as [string, string];
  const isWhole = content === '';
  const request = headers(1, requestFields(path, method), isWhole ? END_STREAM : 0);
  const finals = expect.client.filter((status) => status >= 200);
  return {
    item,
    name,
    source,
    send: isWhole ? request : Buffer.concat([request, data(1, content, END_STREAM)]),
    script: script!,
    expect: {
      streams: { 1: expect.ends === 'cut' ? '200 INTERNAL_ERROR' : `${finals.join()}` },
      ends: 'kept',
      origin: expect.origin,
      ...(expect.upstream === undefined ? {} : { upstream: expect.upstream }),
      check: (seen) => {
        const { informational, body } = seen.message(1);
        const interim = informational.map((fields) => fields.find(([known]) => known === ':status')?.[1]);
        assert.deepEqual(
          interim.map(Number),
          expect.client.filter((status) => status < 200),
        );
        assert.doesNotMatch(body, /evil|poison/);
      },
    },
  };
}

export const answerCases: readonly H2Case[] = [...bodylessCases, ...responseCases, ...leftOverCases]
  .filter(isOneRequest)
  .map(overHttp2);
