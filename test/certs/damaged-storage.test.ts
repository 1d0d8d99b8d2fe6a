// Bad luck with files: every file of a real storage folder is damaged in every way, one after the other. Whatever it was, the
// name has a certificate in the end and gets another when it is asked for, and whoever only looks is told what there is.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { acmeIssuerId } from '../../src/certs/acme/issuer.ts';
import { takeInventory } from '../../src/certs/inventory.ts';
import { ManagedCertificate } from '../../src/certs/managed-certificate.ts';
import { limitsOf } from '../../src/certs/renewal/budget.ts';
import { BudgetLedger } from '../../src/certs/renewal/budget-ledger.ts';
import { requestRenewal } from '../../src/certs/renewal/renewal-request.ts';
import { ChangeJournal } from '../../src/certs/storage/change-journal.ts';
import { CompromisedKeys } from '../../src/certs/storage/compromised-keys.ts';
import { FileLocker } from '../../src/certs/storage/file-locker.ts';
import { FileStorage } from '../../src/certs/storage/file-storage.ts';
import { inventoryText } from '../../src/cli/certs/table.ts';
import type { Config } from '../../src/config/config.ts';
import { acmeRig } from '../support/acme-rig.ts';
import { requestFor } from '../support/certificate-request.ts';
import { MINUTE, World } from '../support/certificate-world.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const NAME = 'a.example';
const never = new AbortController().signal;

const numbers = (value: string) => async (path: string) =>
  writeFile(path, (await readFile(path, 'utf8')).replace(/(?<=[:[]\s*)-?\d+(\.\d+)?/g, value));

const DAMAGES: Readonly<Record<string, (path: string) => Promise<void>>> = {
  empty: (path) => truncate(path),
  binary: (path) => writeFile(path, Buffer.from([0xff, 0, 0x1b, 0x9b, 0xc0])),
  'cut off': async (path) => truncate(path, Math.floor((await readFile(path)).length / 2)),
  'of gigabytes': (path) => truncate(path, 3 * 1024 ** 3),
  'JSON of another shape': (path) => writeFile(path, '{"a":[1e999],"__proto__":{"x":1}}'),
  null: (path) => writeFile(path, 'null'),
  'far in the future': numbers('1e300'),
  'far in the past': numbers('-1e300'),
  'without end': numbers('1e999'),
  'a folder': async (path) => {
    await rm(path);
    await mkdir(join(path, 'inside'), { recursive: true });
  },
  'a pipe': async (path) => {
    await rm(path);
    execFileSync('mkfifo', [path]);
  },
  'a device without end': async (path) => {
    await rm(path);
    await symlink('/dev/zero', path);
  },
};

/** An order takes half a second. */
const RENEWED: ReadonlySet<string> = new Set(['JSON of another shape', 'far in the future', 'a folder']);

test('whatever happened to whichever file, there is a certificate, and another when it is asked for', async (t) => {
  const folder = await temporaryFolder(t);
  const pristine = join(folder, 'pristine');
  const { ca, restart } = await acmeRig(t, { storage: new FileStorage(pristine), locker: new FileLocker(pristine) });
  const issuerId = acmeIssuerId(ca.directoryUrl);
  const limits = limitsOf('https://acme-v02.api.letsencrypt.org/directory')!;
  const live = (root: string) => {
    const storage = new FileStorage(root);
    const locker = new FileLocker(root, { pollMs: 5 });
    const world = new World(undefined, storage);
    const { log } = world.logged;
    const common = { storage, log, clock: world.clock, locker };
    const issuer = restart({ storage, locker });
    const ledger = new BudgetLedger({ issuerId, limits, ...common });
    const services = {
      ...common,
      store: world.store(),
      journal: new ChangeJournal(common),
      compromised: new CompromisedKeys(storage),
      publisher: world.publisher,
      tell: (): void => {},
      random: () => 0,
    };
    const managed = new ManagedCertificate(world.wish(NAME, [world.authority(issuer, { ledger })]), services);
    return { world, services, managed, issuer }; // closed by the rig
  };
  const first = live(pristine);
  await first.managed.tend(never);
  assert.ok(first.managed.served !== null);
  await first.issuer.issue(requestFor([NAME]), never); // and an order that a crash left
  const storage = new FileStorage(pristine);
  await storage.store('orphans.json', `{"certificates/${issuerId}/old.example": 1000}\n`);
  await storage.store(`certificates/${issuerId}/old.example/bundle.pem`, 'old');
  const files = (await readdir(pristine, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(pristine.length + 1));
  assert.ok(files.length >= 9, files.join());
  const config = {
    storage: '',
    acme: [{ directory: ca.directoryUrl }],
    sites: [
      {
        host: NAME,
        tls: {
          kind: 'acme',
          directories: [ca.directoryUrl],
          challenges: ['http-01'],
          keyTypes: ['p256'],
          profile: null,
          group: null,
        },
      },
    ],
  } as unknown as Config;

  for (const file of files)
    for (const [what, damage] of Object.entries(DAMAGES)) {
      const label = `${file}: ${what}`;
      const root = join(folder, 'damaged');
      await rm(root, { recursive: true, force: true });
      await cp(pristine, root, { recursive: true });
      await damage(join(root, file));
      const { world, services, managed } = live(root);
      const look = async (): Promise<string> =>
        inventoryText(await takeInventory({ ...config, storage: root }, world.clock), world.now, 80);
      assert.match(await look(), /a\.example/, label);
      world.now += 10 * MINUTE; // no name is asked for again within five
      await managed.load();
      await managed.tend(never);
      assert.ok(managed.served !== null, `${label}\n${JSON.stringify(world.logged.lines, null, 1)}`);
      if (!RENEWED.has(what)) continue;
      const before = managed.served.certificate?.fingerprint;
      await requestRenewal(services, [issuerId], NAME, never, true);
      await managed.tend(never);
      // Books that say that everything is used up are believed, for as long as a bucket takes to fill.
      const waits = file.startsWith('budgets/') && what === 'far in the future';
      const after = managed.served?.certificate?.fingerprint;
      assert.equal(
        after === before,
        waits,
        `${label}
${JSON.stringify(world.logged.lines)}`,
      );
      assert.match(await look(), /valid/, label);
    }
});
