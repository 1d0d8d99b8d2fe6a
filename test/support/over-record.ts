// The record of an exchange that is over, for tests of who is told of it.
import { ExchangeFeed } from '../../src/http/exchange-feed.ts';
import type { ExchangeRecord } from '../../src/http/exchange-record.ts';
import { HeaderList } from '../../src/http/header-list.ts';

const CLIENT = { address: '192.0.2.7', port: 1, servername: 'app.localhost', tls: null };

/** `feed`: who is told. Sampled, so that it has a span. */
export function overRecord({ target = '/', feed = new ExchangeFeed() } = {}): ExchangeRecord {
  const listener = { onExchange: () => {} };
  feed.add(listener);
  const record = feed.begin(CLIENT, 'GET', target, '1.1', 'app.localhost', new HeaderList())!;
  feed.delete(listener);
  record.trace = { traceId: '1'.repeat(32), spanId: '2'.repeat(16), parentId: null, sampled: true };
  record.over(null);
  return record;
}
