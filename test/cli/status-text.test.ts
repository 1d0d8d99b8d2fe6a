// The state of a process as a person reads it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { processStatus } from '../../src/admin/process-status.ts';
import { statusText } from '../../src/cli/status-text.ts';
import {
  certificateStatus,
  fakeAdminServices,
  STARTED_AT,
  targetReport,
  workerReport,
} from '../support/fake-admin-services.ts';

const NOW = STARTED_AT + 90_000;

describe('the state of a process as text', () => {
  it('is short when all is well', async () => {
    const status = { ...(await processStatus(fakeAdminServices())), node: 'v26.0.0', pid: 7 };
    const certificates = [certificateStatus(), certificateStatus()];
    const targets = [targetReport({ inflight: 2, connections: 15 })];
    assert.equal(
      statusText({ status, certificates, targets }, NOW, 80),
      `process      perantara 9.8.7 on Node v26.0.0, pid 7, serving, up 1m 30s
file         /srv/perantara/perantara.yaml, generation 1, loaded 1m 30s ago
sites        1
listening    https [::]:443
connections  3
log level    debug
certificates 2 valid

TARGET                 STATE    IN FLIGHT  CONNECTIONS
http://127.0.0.1:3000  ok               2           15
`,
    );
  });

  it('tells of each worker when there are several', async () => {
    const services = fakeAdminServices();
    services.reportList = [
      workerReport({ pid: 7, startedAt: NOW - 90_000, connections: 3 }),
      workerReport({ pid: 9, startedAt: NOW - 4_000, connections: 1 }),
    ];
    const text = statusText({ status: await processStatus(services), certificates: [], targets: [] }, NOW, 80);
    assert.match(
      text,
      /^connections {2}4\nworkers {6}pid 7, up 1m 30s, connections 3\n {13}pid 9, up 4s, connections 1$/m,
    );
  });

  it('tells of a reload that was refused, since then what runs is not what stands in the file', async () => {
    const services = fakeAdminServices();
    const lastReload = { at: NOW - 60_000, accepted: false, message: 'cannot use it: \u001b[31m2 problems' };
    services.state = { ...services.state, lastReload };
    const text = statusText({ status: await processStatus(services), certificates: [], targets: [] }, NOW, 80);
    assert.match(text, /^ +last reload 1m ago was refused: cannot use it: \\u001b\[31m2 problems$/m);
  });

  it('tells of certificates that need somebody, in the words of the authority, and of no others', async () => {
    const lastError = { at: NOW - 60_000, message: 'no valid A records found for bad.example' };
    const bad = certificateStatus({ name: 'bad.example', names: ['bad.example'], state: 'failing', lastError });
    const certificates = [certificateStatus(), bad];
    const text = statusText({ status: await processStatus(fakeAdminServices()), certificates, targets: [] }, NOW, 100);
    assert.match(text, /^certificates 1 valid, 1 failing$/m);
    assert.match(text, /^bad\.example +failing/m);
    assert.match(text, /last error 1m ago: no valid A records found for bad\.example/);
    assert.doesNotMatch(text, /^app\.example/m);
  });

  it('tells which targets are drained, and since when and why one fails', async () => {
    const failure = {
      sinceAt: NOW - 60_000,
      lastAt: NOW - 5_000,
      count: 3,
      code: 'connect_failed',
      message: 'no \u001b',
    };
    const targets = [
      targetReport({ name: 'http://a:1', drained: true }),
      targetReport({ name: 'http://b:1', failure }),
      targetReport({ name: 'http://c:1', failure: { ...failure, count: 1 } }),
    ];
    const text = statusText({ status: await processStatus(fakeAdminServices()), certificates: [], targets }, NOW, 80);
    assert.match(text, /^http:\/\/a:1 +drained +0/m);
    assert.match(
      text,
      /^http:\/\/b:1 +failing +0 +0\n {2}3 requests failed since 1m ago, the last 5s ago: no \\u001b$/m,
    );
    assert.match(text, /^ {2}1 request failed, the last 5s ago: no/m);
  });

  it('shows at most fifty of each, and how many there are', async () => {
    const certificates = Array(60).fill(certificateStatus({ state: 'missing', notAfter: null, leftRatio: null }));
    const targets = Array(70).fill(targetReport({ name: 'http://a:1' }));
    const text = statusText({ status: await processStatus(fakeAdminServices()), certificates, targets }, NOW, 80);
    assert.equal(text.match(/^app\.example/gm)?.length, 50);
    assert.match(text, /^and 10 more: --json lists them all\n/m);
    assert.match(text, /^and 20 more: --json lists them all\n/m);
  });
});
