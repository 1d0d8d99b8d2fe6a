import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { judgeSummary, readSummary } from './h2load-summary.ts';

const CURRENT = `Warm-up phase is over for thread #0.
Main benchmark duration is started for thread #0.
TLS Protocol: TLSv1.3
Cipher: TLS_AES_128_GCM_SHA256
Server Temp Key: X25519 253 bits
Certificate: ECDSA prime256v1 256 bits
Negotiated Group: x25519
Resumption: no
Application protocol: h2
Main benchmark duration is over for thread #0. Stopping all clients.
Stopped all clients for thread #0

finished in 1.01s, 9452.00 req/s, 277.05KB/s
requests: 9452 total, 9456 started, 9452 done, 9452 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 9453 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 277.05KB (283704) total, 64.72KB (66272) headers (space savings 91.24%), 46.15KB (47260) data
                 min         max         median      p95         p99         mean        sd         +/- sd
request     :       55us     17.80ms       217us      1.01ms      4.34ms       406us       855us    95.70%
connect     :     7.81ms      8.17ms      7.99ms      8.17ms      8.17ms      7.99ms       250us   100.00%
TTFB        :    13.34ms     14.13ms     13.74ms     14.13ms     14.13ms     13.74ms       552us   100.00%
req/s       :    4707.91     4741.23     4724.57     4741.23     4741.23     4724.57       23.56   100.00%
`;

/** Of h2load 1.52. */
const OLD_TABLE = `                     min         max         mean         sd        +/- sd
time for request:       53us     18.56ms       358us       869us    96.60%
time for connect:    15.97ms     16.87ms     16.42ms       638us   100.00%
time to 1st byte:    24.05ms     24.15ms     24.10ms        66us   100.00%
req/s           :    5251.04     5287.82     5269.43       26.00   100.00%
`;

describe('the summary of h2load', () => {
  it('is read to its last figure', () => {
    assert.deepEqual(readSummary(CURRENT), {
      protocol: 'h2',
      suite: 'TLS_AES_128_GCM_SHA256',
      group: 'X25519',
      seconds: 1.01,
      succeeded: 9452,
      failed: 0,
      errored: 0,
      timedOut: 0,
      otherStatuses: 0,
      bodyBytes: 47260,
      p50Us: 217,
      p99Us: 4340,
    });
  });

  it('has no percentiles in older versions', () => {
    const summary = readSummary(CURRENT.slice(0, CURRENT.indexOf('      ')) + OLD_TABLE);
    assert.equal(summary.succeeded, 9452);
    assert.deepEqual([summary.p50Us, summary.p99Us], [null, null]);
  });

  it('is missed when it is not there', () => {
    assert.throws(() => readSummary('connect: Connection refused\n'), /cannot read what h2load says.*refused/s);
  });

  it('is good when all went as it was meant', () => {
    assert.deepEqual(judge(CURRENT), []);
  });

  it('is good when responses were under way at the end', () => {
    assert.deepEqual(judge(CURRENT.replace('(47260) data', '(47279) data')), []);
  });

  const faults: readonly (readonly [string, string, string, RegExp])[] = [
    ['another protocol', 'protocol: h2', 'protocol: http/1.1', /"http\/1.1" was spoken/],
    ['another cipher suite', 'Cipher: TLS_AES_128', 'Cipher: TLS_AES_256', /TLS_AES_256_GCM_SHA256 and X25519/],
    ['another group', 'Key: X25519', 'Key: P-256', /and P-256/],
    ['a failed request', '0 failed', '1 failed', /1 failed, 0 errored, 0 timed out/],
    ['a request that broke off', '0 errored', '2 errored', /0 failed, 2 errored/],
    ['a request without answer', '0 timeout', '3 timeout', /3 timed out/],
    ['a redirect', '0 3xx', '4 3xx', /4 responses other than 2xx/],
    ['an error of the server', '0 5xx', '5 5xx', /5 responses other than 2xx/],
    ['too little content', '(47260) data', '(47259) data', /47259 bytes in 9452 responses of 5/],
    ['too much content', '(47260) data', '(47281) data', /47281 bytes in 9452 responses of 5/],
  ];
  for (const [name, from, to, expected] of faults)
    it(`tells of ${name}`, () => assert.match(judge(CURRENT.replace(from, to)).join('; '), expected));
});

function judge(output: string): string[] {
  return judgeSummary(readSummary(output), { bytes: 5, atOnce: 4 });
}
