import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SystemProgram } from '../../../src/certs/trust/system-program.ts';
import { fine, paperMachine, sampleRoot } from './rig.ts';

const KEYCHAIN = '/Library/Keychains/System.keychain';

test('macOS: the root goes to the System keychain and leaves it again', async (t) => {
  const machine = await paperMachine(t, 'darwin');
  const root = sampleRoot(machine);
  let isThere = false;
  machine.programs.security = ([verb]) => {
    if (verb === 'add-trusted-cert') isThere = true;
    if (verb === 'delete-certificate') isThere = false;
    return { code: 0, output: isThere ? `SHA-256 hash: ${root.sha256}\n` : 'SHA-256 hash: 00\n' };
  };
  const store = SystemProgram.find(machine)!;
  assert.deepEqual(await store.remove(root), { done: 'not there' });
  assert.deepEqual(await store.add(root), { done: 'added' });
  assert.deepEqual(await store.add(root), { done: 'already there' });
  assert.deepEqual(await store.remove(root), { done: 'removed' });
  assert.deepEqual(
    machine.commands.filter((command) => !command.includes('find-certificate')),
    [
      `security add-trusted-cert -d -r trustRoot -k ${KEYCHAIN} ${root.file}`,
      `security remove-trusted-cert -d ${root.file}`,
      `security delete-certificate -Z ${root.sha1} ${KEYCHAIN}`,
    ],
  );
});

test("Windows: the root goes to the machine's Root store and leaves it again", async (t) => {
  const machine = await paperMachine(t, 'win32');
  const root = sampleRoot(machine);
  let isThere = false;
  machine.programs.certutil = ([verb]) => {
    if (verb === '-store')
      return isThere ? { code: 0, output: `Cert Hash(sha1): ${root.sha1.toLowerCase()}` } : { code: 2, output: '' };
    isThere = verb === '-addstore';
    return { code: 0, output: '' };
  };
  const store = SystemProgram.find(machine)!;
  assert.deepEqual(await store.add(root), { done: 'added' });
  assert.deepEqual(await store.add(root), { done: 'already there' });
  assert.deepEqual(await store.remove(root), { done: 'removed' });
  assert.deepEqual(await store.remove(root), { done: 'not there' });
  assert.deepEqual(
    machine.commands.filter((command) => !command.includes('-store')),
    [`certutil -addstore -f Root ${root.file}`, `certutil -delstore Root ${root.sha1}`],
  );
});

test('what the program says about its failure is told, with the command to type', async (t) => {
  const machine = await paperMachine(t, 'darwin');
  const root = sampleRoot(machine);
  machine.programs.security = ([verb]) =>
    verb === 'add-trusted-cert'
      ? { code: 1, output: 'SecTrustSettings: authorization denied\n' }
      : { code: 0, output: '' };
  assert.deepEqual(await SystemProgram.find(machine)!.add(root), {
    done: 'failed',
    reason: 'security says: SecTrustSettings: authorization denied',
    byHand: `sudo security add-trusted-cert -d -r trustRoot -k ${KEYCHAIN} ${root.file}`,
  });
});

test('other systems have no such store', async (t) => {
  const machine = await paperMachine(t, 'linux');
  machine.programs.certutil = fine;
  assert.equal(SystemProgram.find(machine), null);
});
