import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeGrpcMessage, grpcRefusal, grpcStatus } from '../../src/http/grpc.ts';
import { HeaderList } from '../../src/http/header-list.ts';

/** The fields of the refusal of a request with this content-type. */
function refuse(contentType: string, status = 503): readonly string[] | null {
  const refusal = grpcRefusal(new HeaderList(['Content-Type', contentType]), status, 'Nobody is there.');
  return refusal === null ? null : ['content-type', refusal.contentType, ...refusal.fields];
}

test('a call is answered with the content-type that it came with, a status and a message', () => {
  for (const type of [
    'application/grpc',
    'application/grpc+proto',
    'application/grpc+json',
    'application/grpc+x.y-z',
    'application/grpc-web',
    'application/grpc-web+proto',
    'application/grpc-web-text',
    'application/grpc-web-text+proto',
    'Application/GRPC',
  ]) {
    assert.deepEqual(refuse(type), ['content-type', type, 'grpc-status', '14', 'grpc-message', 'Nobody is there.']);
  }
});

test('parameters of the content-type are not sent back', () => {
  assert.equal(refuse('application/grpc+proto; charset=utf-8')?.[1], 'application/grpc+proto');
  assert.equal(refuse('application/grpc;messageType=x')?.[1], 'application/grpc');
});

test('what only looks like a call is none', () => {
  const types = [
    '',
    'text/plain',
    'application/grpcx',
    'application/grpc+',
    'application/grpc-webx',
    'x application/grpc',
  ];
  for (const type of types) assert.equal(refuse(type), null, type);
  assert.equal(grpcRefusal(new HeaderList(), 503, 'x'), null);
});

test('a browser sees a 421 as it is, so that it asks again on another connection; a native client is told', () => {
  assert.equal(refuse('application/grpc-web+proto', 421), null);
  assert.equal(refuse('application/grpc-web-text', 421), null);
  assert.equal(refuse('application/grpc', 421)?.[3], '12');
});

test('statuses are those of the gRPC project, and UNKNOWN for the rest', () => {
  const table: readonly (readonly [number, number])[] = [
    [400, 13],
    [401, 16],
    [403, 7],
    [404, 12],
    [408, 4],
    [413, 8],
    [414, 8],
    [417, 13],
    [421, 12],
    [429, 14],
    [431, 8],
    [500, 13],
    [501, 12],
    [502, 14],
    [503, 14],
    [504, 14],
    [505, 13],
    [418, 2],
    [599, 2],
  ];
  for (const [http, grpc] of table) assert.equal(grpcStatus(http), grpc, String(http));
});

test('a message is percent-encoded where it is not printable ASCII, and can be decoded again', () => {
  const table: readonly (readonly [string, string])[] = [
    ['as it is: ~!"#$&', 'as it is: ~!"#$&'],
    ['100 %', '100 %25'],
    ['a\r\nb\t\0\x7f', 'a%0D%0Ab%09%00%7F'],
    ['grüß 🙂', 'gr%C3%BC%C3%9F %F0%9F%99%82'],
    ['half \ud83d', 'half %EF%BF%BD'],
  ];
  for (const [text, encoded] of table) {
    assert.equal(encodeGrpcMessage(text), encoded);
    assert.equal(decodeURIComponent(encoded), text.toWellFormed());
  }
});
