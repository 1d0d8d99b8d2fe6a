// The pages of the dashboard as the admin endpoint hands them out: to whom, and what they may do in a browser.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { AdminEndpoint } from '../../src/admin/admin-endpoint.ts';
import { fakeAdminServices } from '../support/fake-admin-services.ts';
import { freePort } from '../support/free-port.ts';
import { askAdmin } from './ask-admin.ts';

const FOLDER = join(import.meta.dirname, '../../src/admin/dashboard');
const FILES = readdirSync(FOLDER).filter((name) => name !== 'tsconfig.json');
const TOKEN = '0123456789abcdef';
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
  "frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

async function rig(t: TestContext) {
  const port = await freePort();
  const services = fakeAdminServices();
  const admin = { kind: 'loopback', host: '127.0.0.1', port, token: TOKEN, position: 'test' } as const;
  const endpoint = new AdminEndpoint(admin, services);
  t.after(() => endpoint.destroy());
  await endpoint.start();
  const headers = { host: `127.0.0.1:${port}` };
  return {
    port,
    services,
    ask: (path: string, ask: Parameters<typeof askAdmin>[2] = {}) => askAdmin(port, path, { headers, ...ask }),
  };
}

describe('the dashboard', () => {
  it('is handed out without the token, with a policy that lets nothing of others in, and is the same for everybody', async (t) => {
    const { ask, services } = await rig(t);
    const before = await ask('/dashboard');
    services.inForce = { ...services.inForce, sites: [] };
    const after = await ask('/dashboard');
    assert.equal(before.status, 200);
    assert.equal(before.headers['content-type'], 'text/html; charset=utf-8');
    assert.equal(before.headers['content-security-policy'], POLICY);
    assert.equal(before.headers['x-content-type-options'], 'nosniff');
    assert.equal(before.headers['referrer-policy'], 'no-referrer');
    assert.equal(before.headers['cache-control'], 'no-store');
    assert.equal(before.text, after.text);
    assert.equal((await ask('/overview')).status, 401);
  });

  it('hands out each of its files, and the chart library, with their types', async (t) => {
    const { ask } = await rig(t);
    const types = { js: 'text/javascript; charset=utf-8', css: 'text/css; charset=utf-8', svg: 'image/svg+xml' };
    const names = [...FILES.filter((name) => !name.endsWith('.html')), 'uPlot.iife.min.js', 'uPlot.min.css'];
    assert.ok(names.length > 10);
    for (const name of names) {
      const { status, headers, text } = await ask(`/dashboard/${name}`);
      assert.deepEqual([status, headers['content-type']], [200, types[name.split('.').at(-1) as 'js']], name);
      assert.equal(headers['content-security-policy'], POLICY);
      assert.ok(text.length > 100);
    }
    const head = await ask('/dashboard/page.js', { method: 'HEAD' });
    assert.deepEqual([head.status, head.text], [200, '']);
    assert.ok(Number(head.headers['content-length']) > 100);
    for (const path of ['/dashboard/', '/dashboard/../routes.ts', '/dashboard/tsconfig.json', '/dashboard/none.js'])
      assert.equal((await ask(path)).status, 401, path);
  });

  it('is where a browser without a path is sent, and programs are not', async (t) => {
    const { ask, port } = await rig(t);
    const host = `127.0.0.1:${port}`;
    const browser = await ask('/', { headers: { host, accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } });
    assert.deepEqual([browser.status, browser.headers.location], [302, '/dashboard']);
    const authorization = `Bearer ${TOKEN}`;
    assert.equal((await ask('/', { headers: { host, authorization, accept: '*/*' } })).status, 200);
  });

  it('is not handed out under a name of somebody else, nor to a page of somebody else', async (t) => {
    const { ask, port } = await rig(t);
    assert.equal((await ask('/dashboard', { headers: { host: `evil.example:${port}` } })).status, 403);
    const headers = { host: `127.0.0.1:${port}`, origin: 'http://evil.example' };
    assert.equal((await ask('/dashboard', { headers })).status, 403);
  });

  it('has no script or style in its page, loads nothing from elsewhere, and makes no markup of texts', () => {
    for (const name of FILES) {
      const text = readFileSync(join(FOLDER, name), 'utf8');
      const [foreign] = /https?:\/\/(?!www\.w3\.org\/2000\/svg)[^\s'"`]+/.exec(text) ?? [];
      assert.equal(foreign, undefined, name);
      assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function/, name);
      if (!name.endsWith('.html')) continue;
      assert.doesNotMatch(text, /<style|\sstyle=|\son[a-z]+=|javascript:/i);
      for (const [, attributes, body] of text.matchAll(/<script([^>]*)>([^<]*)/g)) {
        assert.match(attributes!, / src="\/dashboard\//);
        assert.equal(body, '');
      }
    }
  });
});
