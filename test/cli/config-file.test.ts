// The configuration file as a verb that serves it loads it, again and again.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfigFile } from '../../src/cli/config-file.ts';
import { processTerminal } from '../../src/cli/terminal.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('variables are those that the process was started with, whatever becomes of its environment', async (t) => {
  const folder = await temporaryFolder(t);
  const file = join(folder, 'perantara.yaml');
  await writeFile(file, 'storage: $\u007bHOME}/certs\nsites: { app.localhost: 3000 }\n');
  const env: Record<string, string> = { HOME: '/root' };
  const flags = { text: (name: string) => (name === 'config' ? file : null), on: () => false };
  const loaded = loadConfigFile(flags, { ...processTerminal(), env });
  env.HOME = '/home/perantara';
  const again = loaded?.load();
  assert.ok(again?.ok);
  assert.deepEqual([loaded!.config.storage, again.config.storage], ['/root/certs', '/root/certs']);
});
