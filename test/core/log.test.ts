import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { PerantaraError } from '../../src/core/errors.ts';
import { createLogger, type Logger, type LogLevel } from '../../src/core/log.ts';

function collect(pretty: boolean, level: LogLevel = 'info'): { log: Logger; lines: string[] } {
  const lines: string[] = [];
  return { log: createLogger({ level, pretty, write: (line) => lines.push(line) }), lines };
}

describe('the log', () => {
  it('is one JSON object per line for programs', () => {
    const { log, lines } = collect(false);
    log.info({ name: 'app.example.com' }, 'certificate obtained');
    const { time, ...rest } = JSON.parse(lines[0]!) as Record<string, unknown>;
    assert.deepEqual(rest, { level: 'info', name: 'app.example.com', msg: 'certificate obtained' });
    assert.match(String(time), /^\d{4}-\d\d-\d\dT/);
    assert.ok(lines[0]!.endsWith('}\n'));
  });

  it('keeps the code and the cause of errors', () => {
    const { log, lines } = collect(false);
    const cause = new Error('ECONNREFUSED');
    log.error(
      { err: new PerantaraError('cannot connect', { code: 'connect_refused', source: 'upstream', cause }) },
      'x',
    );
    const { err } = JSON.parse(lines[0]!) as { err: { code: string; cause: { message: string } } };
    assert.equal(err.code, 'connect_refused');
    assert.equal(err.cause.message, 'ECONNREFUSED');
  });

  it('leaves out what is below its level', () => {
    const { log, lines } = collect(false, 'warn');
    log.info('x');
    log.warn('y');
    assert.equal(lines.length, 1);
    const silent = collect(false, 'silent');
    silent.log.error('x');
    assert.equal(silent.lines.length, 0);
  });

  it('is a readable line for people', () => {
    const { log, lines } = collect(true);
    log.info({ name: 'app.example.com', left: '89 days', count: 2 }, 'certificate obtained');
    const line = stripVTControlCharacters(lines[0]!);
    assert.match(
      line,
      /^\d\d:\d\d:\d\d info {2}certificate obtained {2}name=app\.example\.com {2}left="89 days" {2}count=2\n$/,
    );
  });

  it('shows people one sentence of an expected error, and the stack of an unexpected one', () => {
    const { log, lines } = collect(true);
    log.error({ err: new PerantaraError('cannot issue', { code: 'x', source: 'issuer' }) }, 'failed');
    log.error({ err: new TypeError('x is not a function') }, 'failed');
    assert.equal(lines[0]!.trimEnd().split('\n').length, 1);
    assert.match(lines[1]!, /TypeError: x is not a function\n {4} +at .*log\.test\.ts/);
  });

  it('lets nothing from outside control the terminal', () => {
    const { log, lines } = collect(true);
    log.warn({ err: new Error('a\x1b[2Jb\nc'), name: 'x\x1b]0;title\x07', other: 'y\x9b1m z' }, 'm\x1b[0m');
    const text = lines[0]!.replace(/\x1b\[\d+m/g, '');
    assert.doesNotMatch(text.trimEnd(), /[\x00-\x1f\x7f-\x9f]/);
  });
});
