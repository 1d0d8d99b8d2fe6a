// `GET /metrics` of the real program: what a scraper gets, with requests, a reload that is accepted and one that is refused.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { askAdmin } from '../admin/ask-admin.ts';
import { startPerantara } from '../support/perantara.ts';
import { curl } from '../support/program.ts';
import { retry } from '../support/retry.ts';
import { Scrape } from '../support/scrape.ts';

test('a scraper gets the figures of the running program, in the form that it asks for', async (t) => {
  const proxy = await startPerantara({ config: { sites: { 'app.localhost': { respond: 'hello' } } } });
  t.after(() => proxy.stop());
  const socket = join(proxy.storage, 'admin.sock');
  await proxy.obtained('app.localhost');
  const scrape = async (): Promise<Scrape> => new Scrape((await askAdmin(socket, '/metrics')).text);

  const url = `https://app.localhost:${proxy.httpsPort}/`;
  await curl(['--insecure', '--resolve', `app.localhost:${proxy.httpsPort}:127.0.0.1`, url, url, url]);
  const scraped = await retry(
    async () => {
      const each = await scrape();
      assert.equal(each.sum('perantara_requests_total'), 3);
      return each;
    },
    { deadlineMs: 10_000 },
  );
  assert.deepEqual(scraped.table('perantara_requests_total'), { 'app.localhost /* 2xx complete': 3 });
  assert.equal(scraped.sum('perantara_response_size_bytes_sum'), 15);
  assert.equal(scraped.sum('perantara_workers'), 1);
  assert.ok(Math.abs(scraped.sum('process_start_time_seconds') - Date.now() / 1_000) < 3_600);
  assert.ok(scraped.sum('process_resident_memory_bytes') > 10_000_000);
  assert.ok(scraped.sum('process_cpu_user_seconds_total') > 0);
  assert.equal(scraped.sum('perantara_certificate_present'), 1);

  const text = await readFile(proxy.configFile, 'utf8');
  await writeFile(proxy.configFile, text.replace('"hello"', '"hello", "nonsense": 1'));
  proxy.signal('SIGHUP');
  await proxy.logged(({ msg }) => msg === 'configuration refused, the one before stays');
  const refused = await scrape();
  assert.deepEqual(refused.table('perantara_reloads_total'), { accepted: 0, refused: 1 });
  assert.equal(refused.sum('perantara_last_reload_successful'), 0);
  await writeFile(proxy.configFile, text.replace('"hello"', '"good bye"'));
  proxy.signal('SIGHUP');
  await proxy.logged(({ msg }) => msg === 'configuration in force');
  const accepted = await scrape();
  assert.deepEqual(accepted.table('perantara_reloads_total'), { accepted: 1, refused: 1 });
  assert.deepEqual(
    [accepted.sum('perantara_last_reload_successful'), accepted.sum('perantara_config_generation')],
    [1, 2],
  );
  assert.equal(accepted.sum('perantara_requests_total'), 3, 'the site counts on');

  const plain = await askAdmin(socket, '/metrics');
  assert.equal(plain.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  const accept = 'application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
  const open = await askAdmin(socket, '/metrics', { headers: { accept } });
  assert.equal(open.headers['content-type'], 'application/openmetrics-text; version=1.0.0; charset=utf-8');
  assert.match(open.text, /\n# EOF\n$/);
  const head = await askAdmin(socket, '/metrics', { method: 'HEAD' });
  assert.deepEqual([head.status, head.text], [200, '']);
});

test('workers are counted together, and one that is killed takes nothing back of what it has counted', async (t) => {
  const proxy = await startPerantara({ config: { workers: 2, sites: { 'app.localhost': { respond: 'hello' } } } });
  t.after(() => proxy.stop());
  const socket = join(proxy.storage, 'admin.sock');
  await proxy.obtained('app.localhost');
  const url = `https://app.localhost:${proxy.httpsPort}/`;
  const ask = (): Promise<unknown> =>
    curl(['--insecure', '--resolve', `app.localhost:${proxy.httpsPort}:127.0.0.1`, url, url]);
  const scrapeUntil = (fits: (scraped: Scrape) => void): Promise<Scrape> =>
    retry(
      async () => {
        const scraped = new Scrape((await askAdmin(socket, '/metrics')).text);
        fits(scraped);
        return scraped;
      },
      { deadlineMs: 20_000 },
    );
  const requests = 'perantara_requests_total';
  for (let i = 0; i < 4; i++) await ask();
  await scrapeUntil((scraped) => {
    assert.deepEqual([scraped.sum(requests), scraped.sum('perantara_workers')], [8, 2]);
    assert.equal(scraped.sum('perantara_worker_restarts_total'), 0);
  });
  for (const nth of [1, 2]) {
    const { workers } = (await askAdmin(socket, '/status')).json as { workers: { pid: number }[] };
    process.kill(workers[nth % workers.length]!.pid, 'SIGKILL');
    let least = 8;
    await scrapeUntil((scraped) => {
      assert.ok(scraped.sum(requests) >= least, `${scraped.sum(requests)} after ${least}`);
      least = scraped.sum(requests);
      assert.deepEqual([scraped.sum('perantara_worker_restarts_total'), scraped.sum('perantara_workers')], [nth, 2]);
    });
  }
  await ask();
  const scraped = await scrapeUntil((each) =>
    assert.deepEqual([each.sum(requests), each.sum('perantara_requests_in_flight')], [10, 0]),
  );
  assert.ok(scraped.sum('perantara_tls_handshakes_total') >= 5);
});
