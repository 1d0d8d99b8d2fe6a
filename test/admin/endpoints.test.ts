// What each path of the admin endpoint answers, over a real unix socket.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { AdminEndpoint } from '../../src/admin/admin-endpoint.ts';
import type { AdminConfig } from '../../src/config/config.ts';
import { makeProblem } from '../../src/config/problem.ts';
import {
  ACCEPTED,
  certificateStatus,
  configOf,
  type FakeAdminServices,
  fakeAdminServices,
  STARTED_AT,
  targetReport,
  workerReport,
} from '../support/fake-admin-services.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { type AdminAnswer, type AdminAsk, askAdmin } from './ask-admin.ts';

interface Rig {
  readonly services: FakeAdminServices;
  readonly ask: (path: string, ask?: AdminAsk) => Promise<AdminAnswer>;
}

async function rig(t: TestContext): Promise<Rig> {
  const socket = join(await temporaryFolder(t), 'admin.sock');
  const config: AdminConfig = { kind: 'socket', paths: [socket], isDefault: false, position: 'test' };
  const services = fakeAdminServices();
  const endpoint = new AdminEndpoint(config, services);
  t.after(() => endpoint.destroy());
  await endpoint.start();
  return { services, ask: (path, ask) => askAdmin(socket, path, ask) };
}

describe('the admin endpoint', () => {
  it('lists what can be asked', async (t) => {
    const { ask } = await rig(t);
    const { status, headers, json } = await ask('/');
    assert.equal(status, 200);
    assert.equal(headers['content-type'], 'application/json');
    assert.equal(headers['cache-control'], 'no-store');
    assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
    assert.deepEqual(json.endpoints, [
      'GET /dashboard',
      'GET /health',
      'GET /ready',
      'GET /status',
      'GET /overview',
      'GET /config',
      'GET /certificates',
      'GET /targets',
      'POST /targets/drain',
      'POST /targets/enable',
      'GET /metrics',
      'POST /reload',
      'GET /log-level',
      'PUT /log-level',
    ]);
  });

  it('is healthy while it answers, and ready only while sites are served', async (t) => {
    const { services, ask } = await rig(t);
    assert.deepEqual((await ask('/ready')).json, { ready: true, state: 'serving' });
    for (const state of ['starting', 'stopping'] as const) {
      services.state = { ...services.state, state };
      const ready = await ask('/ready');
      assert.equal(ready.status, 503);
      assert.deepEqual(ready.json, { ready: false, state });
      assert.equal((await ask('/health')).status, 200);
    }
  });

  it('tells the state of the process', async (t) => {
    const { services, ask } = await rig(t);
    const lastReload = { at: STARTED_AT + 5, accepted: false, message: 'cannot use the new configuration: 2 problems' };
    services.state = { ...services.state, lastReload };
    assert.deepEqual((await ask('/status')).json, {
      version: '9.8.7',
      node: process.version,
      pid: process.pid,
      state: 'serving',
      startedAt: STARTED_AT,
      uptimeMs: 90_000,
      config: services.state.config,
      lastReload,
      storage: '/srv/perantara/certs',
      sites: 1,
      listeners: [{ protocol: 'https', address: '::', port: 443 }],
      logLevel: 'debug',
      connections: 3,
      workers: [{ pid: 4711, startedAt: STARTED_AT, connections: 3 }],
    });
  });

  it('tells of every certificate, however many, with other work between', async (t) => {
    const { services, ask } = await rig(t);
    let turns = 0;
    let isOver = false;
    const tick = (): void => {
      turns++;
      if (!isOver) setImmediate(tick);
    };
    let turnsWhileRead = 0;
    services.certificateList = (function* () {
      setImmediate(tick);
      for (let i = 0; i < 1_000; i++) yield certificateStatus({ name: `n${i}.example` });
      turnsWhileRead = turns;
      isOver = true;
    })();
    const { json } = await ask('/certificates');
    assert.equal(json.certificates.length, 1_000);
    assert.deepEqual(json.certificates[999], { ...certificateStatus({ name: 'n999.example' }) });
    assert.ok(turnsWhileRead > 10, `${turnsWhileRead}`);
  });

  it("tells an authority's refusal in its own words", async (t) => {
    const { services, ask } = await rig(t);
    const message = 'urn:ietf:params:acme:error:dns: no valid A records found for "x\u001b[31m.example"';
    services.certificateList = [certificateStatus({ state: 'failing', lastError: { at: STARTED_AT, message } })];
    assert.equal((await ask('/certificates')).json.certificates[0].lastError.message, message);
  });

  it('tells of targets, and an empty list when there are none', async (t) => {
    const { services, ask } = await rig(t);
    assert.deepEqual((await ask('/targets')).json, { targets: [] });
    const name = 'http://127.0.0.1:3000';
    const target = targetReport({ name, inflight: 2, connections: 5 });
    services.reportList = [workerReport({ targets: [target] })];
    assert.deepEqual((await ask('/targets')).json, { targets: [target] });
    const another = targetReport({ name: 'http://127.0.0.1:4000', connections: 1 });
    services.reportList = [
      workerReport({ targets: [target] }),
      workerReport({ targets: [another, { ...target, inflight: 3 }] }),
    ];
    const together = [{ ...target, inflight: 5, connections: 10 }, another];
    assert.deepEqual((await ask('/targets')).json, { targets: together });
  });

  it('drains and enables a target by any form of its name, as often as it is told to', async (t) => {
    const { services, ask } = await rig(t);
    services.inForce = configOf({ sites: { 'app.example': { proxy: ['3000', 'http://10.0.0.5:8080'] } } });
    const target = 'http://10.0.0.5:8080';
    const post = async (step: string, body: string) => (await ask(`/targets/${step}`, { method: 'POST', body })).json;
    assert.deepEqual(await post('drain', JSON.stringify({ target })), { target, drained: true, changed: true });
    assert.deepEqual(await post('drain', '10.0.0.5:8080\n'), { target, drained: true, changed: false });
    assert.deepEqual(await post('drain', '3000'), { target: 'http://localhost:3000', drained: true, changed: true });
    assert.deepEqual([...services.drained], [target, 'http://localhost:3000']);
    assert.deepEqual(await post('enable', target), { target, drained: false, changed: true });
    assert.deepEqual(await post('enable', target), { target, drained: false, changed: false });
    assert.deepEqual(services.captured.messages().slice(1), ['target drained', 'target drained', 'target enabled']);
  });

  it('names what is near, or what there is, when no target has the name', async (t) => {
    const { services, ask } = await rig(t);
    const post = async (body: string) => {
      const { status, json } = await ask('/targets/drain', { method: 'POST', body });
      return [status, json.error.code, json.error.message];
    };
    services.inForce = configOf({ sites: { 'app.example': 'http://10.0.0.5:8080' } });
    const near = 'cannot find the target "http://10.0.0.5:808": did you mean http://10.0.0.5:8080?';
    assert.deepEqual(await post('http://10.0.0.5:808'), [404, 'target_unknown', near]);
    const list = 'cannot find the target "x": there are http://10.0.0.5:8080';
    assert.deepEqual(await post('x'), [404, 'target_unknown', list]);
    for (const body of ['', '{}', '{"target":3}', '{"target":""}', '[]', '""'])
      assert.deepEqual((await post(body)).slice(0, 2), [400, 'target_missing'], body);
    assert.equal((await post('\u001b[31m'.repeat(300)))[0], 404);
    services.inForce = configOf({ sites: { 'app.example': { respond: { body: 'x' } } } });
    assert.deepEqual(await post('x'), [404, 'target_unknown', 'cannot find the target "x": there is none']);
    assert.deepEqual([...services.drained], []);
  });

  it('shows the configuration in force', async (t) => {
    const { services, ask } = await rig(t);
    services.inForce = configOf({ admin: 'off', sites: { 'app.example': '3000', 'b.example': '4000' } });
    const { json } = await ask('/config');
    assert.equal(json.admin, null);
    assert.deepEqual(
      json.sites.map((site: { host: string }) => site.host),
      ['app.example', 'b.example'],
    );
  });

  it('reloads and tells what changed', async (t) => {
    const { ask } = await rig(t);
    const { status, json } = await ask('/reload', { method: 'POST' });
    assert.equal(status, 200);
    assert.deepEqual(json, ACCEPTED);
  });

  it('tells every problem of a configuration that is refused', async (t) => {
    const { services, ask } = await rig(t);
    const problem = makeProblem({ file: './perantara.yaml', line: 3, column: 9 }, 'cannot use listen: no', {
      found: '"x"',
    });
    services.onReload = () => ({
      accepted: false,
      problems: [problem],
      message: 'cannot use the new configuration: 1 problem',
    });
    const { status, json } = await ask('/reload', { method: 'POST' });
    assert.equal(status, 422);
    assert.deepEqual(json, {
      error: { code: 'reload_refused', message: 'cannot use the new configuration: 1 problem' },
      accepted: false,
      problems: [problem],
      message: 'cannot use the new configuration: 1 problem',
    });
  });

  it('answers others while a reload takes its time', async (t) => {
    const { services, ask } = await rig(t);
    const { promise, resolve } = Promise.withResolvers<typeof ACCEPTED>();
    services.onReload = () => promise;
    const reloading = ask('/reload', { method: 'POST' });
    assert.equal((await ask('/status')).status, 200);
    resolve(ACCEPTED);
    assert.equal((await reloading).status, 200);
  });

  it('tells and sets the log level while the process runs', async (t) => {
    const { services, ask } = await rig(t);
    services.log.level = 'info';
    assert.deepEqual((await ask('/log-level')).json, { level: 'info' });
    assert.deepEqual((await ask('/log-level', { method: 'PUT', body: '{"level":"debug"}' })).json, { level: 'debug' });
    assert.equal(services.log.level, 'debug');
    assert.deepEqual((await ask('/log-level', { method: 'PUT', body: 'warn\n' })).json, { level: 'warn' });
    assert.deepEqual(services.captured.messages().slice(-2), ['log level changed', 'log level changed']);
    for (const body of ['', 'loud', '{"level":"loud"}', '{"level":', '[]', 'null', '{"level":{"a":1}}']) {
      const { status, json } = await ask('/log-level', { method: 'PUT', body });
      assert.equal(status, 400, body);
      assert.equal(json.error.code, 'level_unknown');
      assert.match(json.error.message, /allowed: debug, info, warn, error, silent/);
    }
    assert.equal(services.log.level, 'warn');
  });

  it('answers HEAD as GET without the content', async (t) => {
    const { ask } = await rig(t);
    const { status, text } = await ask('/status', { method: 'HEAD' });
    assert.deepEqual([status, text], [200, '']);
  });

  it('answers with an error as JSON to what it does not know', async (t) => {
    const { ask } = await rig(t);
    for (const path of ['/nothing', '/status/', '/constructor', '//status', '/metric']) {
      const { status, json } = await ask(path);
      assert.deepEqual([status, json.error.code], [404, 'unknown_path'], path);
    }
    for (const [method, path, allow] of [
      ['GET', '/reload', 'POST'],
      ['POST', '/status', 'GET, HEAD'],
      ['DELETE', '/log-level', 'GET, HEAD, PUT'],
    ] as const) {
      const { status, headers, json } = await ask(path, { method });
      assert.deepEqual([status, json.error.code, headers.allow], [405, 'method_refused', allow]);
    }
    assert.equal((await ask('/status?verbose=1')).status, 200);
  });

  it('answers 500 to a fault of the process, logs it, and goes on', async (t) => {
    const { services, ask } = await rig(t);
    services.onReload = () => Promise.reject(new TypeError('boom'));
    const { status, json } = await ask('/reload', { method: 'POST' });
    assert.deepEqual([status, json.error.code], [500, 'internal']);
    assert.doesNotMatch(JSON.stringify(json), /boom/);
    const line = services.captured.lines.at(-1)!;
    assert.deepEqual([line.msg, line.path, line.err?.message], ['admin request failed', '/reload', 'boom']);
    assert.equal((await ask('/health')).status, 200);
  });

  it('breaks an answer off, and says so in the log, when a fault comes in its middle', async (t) => {
    const { services, ask } = await rig(t);
    services.certificateList = (function* () {
      for (let i = 0; i < 100; i++) yield certificateStatus();
      throw new TypeError('boom');
    })();
    await assert.rejects(ask('/certificates'), /aborted|hang up|ECONNRESET/);
    assert.equal(services.captured.lines.at(-1)!.err?.message, 'boom');
    assert.equal((await ask('/health')).status, 200);
  });
});
