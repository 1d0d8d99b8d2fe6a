import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { LogOutput } from '../../src/observe/log-output.ts';
import { capturedLog } from '../support/captured-log.ts';
import { needsSmallDisk, smallDisk } from '../support/small-disk.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** More than what is gathered before it is written. */
const LINE = `${'x'.repeat(70_000)}\n`;

function opened(t: TestContext, path: string) {
  const { log, lines } = capturedLog();
  const output = new LogOutput({ kind: 'file', path }, log);
  output.open();
  t.after(() => output.close());
  return { output, said: () => lines.map(({ msg }) => msg), lines };
}

test('every line is there after the end, in order, in a file that others cannot read', async (t) => {
  const file = join(await temporaryFolder(t), 'access.log');
  const { output, said } = opened(t, file);
  let wanted = '';
  for (let i = 0; i < 5_000; i++) {
    output.line(`line ${i}\n`);
    wanted += `line ${i}\n`;
  }
  await output.close();
  output.line('too late\n');
  assert.equal(readFileSync(file, 'utf8'), wanted);
  assert.equal(statSync(file).mode & 0o007, 0);
  assert.deepEqual(said(), []);
});

test('lines are appended to what is there, and go to a new file after the old one has been moved away', async (t) => {
  const file = join(await temporaryFolder(t), 'access.log');
  const first = opened(t, file);
  first.output.line('one\n');
  await first.output.close();
  const { output, said } = opened(t, file);
  output.line('two\n');
  renameSync(file, `${file}.1`);
  output.line('three\n');
  output.reopen();
  output.line('four\n');
  await output.close();
  assert.deepEqual(
    [`${file}.1`, file].map((name) => readFileSync(name, 'utf8')),
    ['one\ntwo\nthree\n', 'four\n'],
  );
  assert.deepEqual(said(), ['access log reopened']);
});

test('a folder that has vanished stops nobody: the file that is open is written on', async (t) => {
  const folder = join(await temporaryFolder(t), 'logs');
  mkdirSync(folder);
  const { output, said } = opened(t, join(folder, 'access.log'));
  output.line('one\n');
  rmSync(folder, { recursive: true });
  output.reopen();
  output.line('two\n');
  assert.deepEqual(said(), ['access log not reopened: it goes on in the file it has']);
  mkdirSync(folder);
  output.reopen();
  output.line('three\n');
  await output.close();
  assert.equal(readFileSync(join(folder, 'access.log'), 'utf8'), 'three\n');
});

test('a file that cannot be opened is a mistake of the operator', async (t) => {
  const { log } = capturedLog();
  const output = new LogOutput({ kind: 'file', path: join(await temporaryFolder(t), 'no', 'access.log') }, log);
  assert.throws(() => output.open(), {
    code: 'access_log_open',
    source: 'operator',
    message: /cannot open the access log/,
  });
});

const AS_ROOT = process.getuid?.() === 0 ? {} : { skip: 'only root can try to be somebody who may not' };

test('a file that belongs to somebody else is told with who has to be able to write it', AS_ROOT, async (t) => {
  const path = join(await temporaryFolder(t), 'access.log');
  const output = new LogOutput({ kind: 'file', path }, capturedLog().log);
  process.seteuid!(65_534);
  try {
    assert.throws(
      () => output.open(),
      /access\.log: permission denied; .* its folder have to be writable for user 65534$/,
    );
  } finally {
    process.seteuid!(0);
  }
});

test('a disk without room is said once, costs no memory without end, and the end does not wait for it', async (t) => {
  const { output, lines } = opened(t, '/dev/full');
  for (let i = 0; i < 600; i++) output.line(LINE);
  await new Promise((resolve) => setTimeout(resolve, 50));
  for (let i = 0; i < 10; i++) output.line(LINE);
  await output.close();
  const said = lines.map(({ msg }) => msg);
  assert.equal(said.filter((msg) => /cannot be written|too slow/.test(String(msg))).length, 1, said.join('\n'));
  assert.ok(said.includes('access log ends without its last lines'));
  const gaps = lines.find(({ msg }) => msg === 'access log has gaps');
  assert.ok(Number(gaps?.dropped) > 300, JSON.stringify(gaps));
});

test('what waited for room on the disk is written when there is some', needsSmallDisk, async (t) => {
  const disk = await smallDisk(t);
  const file = join(disk.folder, 'access.log');
  const { output, lines } = opened(t, file);
  disk.fill();
  for (let i = 0; i < 10; i++) output.line(LINE);
  while (lines.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(lines[0]!.code, 'ENOSPC');
  disk.makeRoom();
  output.line(LINE);
  while (lines.length === 1) await new Promise((resolve) => setTimeout(resolve, 5));
  await output.close();
  assert.equal(readFileSync(file, 'utf8'), LINE.repeat(11));
  assert.deepEqual(lines.map(({ msg, dropped }) => [msg, dropped]).slice(1), [['access log is written again', 0]]);
});

test(
  'a file that takes less than it is given is said once, and once that it takes all again',
  needsSmallDisk,
  async (t) => {
    const disk = await smallDisk(t);
    const file = join(disk.folder, 'access.log');
    const { output, lines } = opened(t, file);
    let given = 0;
    for (; !lines.some(({ code }) => code === 'ENOSPC') || given < 400; given++) {
      output.line(LINE);
      if (given % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    rmSync(file); // the room of an open file is not free before it is closed
    output.reopen();
    output.line('after\n');
    while (!lines.some(({ msg }) => msg === 'access log is written again'))
      await new Promise((resolve) => setTimeout(resolve, 5));
    await output.close();
    assert.equal(readFileSync(file, 'utf8'), 'after\n');
    const said = lines.filter(({ msg }) => !String(msg).includes('reopened')).map(({ msg }) => msg);
    assert.match(said[0]!, /too slow|cannot be written/);
    assert.deepEqual(said.slice(1), ['access log ends without its last lines', 'access log is written again']);
  },
);
