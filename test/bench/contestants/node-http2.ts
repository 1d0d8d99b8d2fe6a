// Node's own HTTP/2 server as a contestant, where nothing stands behind: what a codec of our own has to be cheaper than.
import { resolve } from 'node:path';
import { CANNED, type Contestant } from './contestant.ts';

export function nodeHttp2Contestant(): Contestant {
  return {
    name: 'node-http2',
    version: process.versions.node,
    setting: "node:http2's core API (`stream.respond`, `stream.end`); answers by itself and forwards nothing",
    obstacle: (upstream, speaksHttp2) =>
      upstream === 'none' && speaksHttp2 ? null : 'it forwards nothing and speaks HTTP/2 only',
    prepare: async ({ port, certFile, keyFile }) => ({
      command: process.execPath,
      args: [resolve(import.meta.dirname, '../programs/node-http2.ts'), `${port}`, certFile, keyFile, CANNED],
    }),
  };
}
