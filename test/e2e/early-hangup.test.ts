// A reload that is asked for before the process serves: by a deployment that does not wait, say.
import { strictEqual } from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../support/temporary-folder.ts';

const MAIN = join(import.meta.dirname, '../../src/main.ts');
const CONFIG = {
  storage: 'storage',
  listen: { http: '127.0.0.1:0', https: '127.0.0.1:0' },
  sites: { 'a.localhost': { respnd: {} } },
};

test('SIGHUP while the file is being loaded ends nothing', { timeout: 60_000 }, async (t) => {
  const folder = await temporaryFolder(t);
  const file = join(folder, 'perantara.yaml');
  execFileSync('mkfifo', [file]);
  const child = spawn(process.execPath, [MAIN, 'run', '--config', file], { cwd: folder, stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  const exited = once(child, 'exit');
  const pipe = await open(file, 'w'); // once the process reads it
  child.kill('SIGHUP');
  await pipe.writeFile(JSON.stringify(CONFIG));
  await pipe.close();
  const [code, signal] = await exited;
  strictEqual(signal, null);
  strictEqual(code, 1, 'the mistake in the file, that is');
});
