// `perantara certs trust`: makes this machine and its browsers accept what the local CA signs, or no longer.
import { createHash, X509Certificate } from 'node:crypto';
import type { Machine, TrustedRoot, TrustOutcome } from '../../certs/trust/trust-store.ts';
import type { Config } from '../../config/config.ts';
import { systemClock } from '../../core/clock.ts';
import { messageOf, PerantaraError } from '../../core/errors.ts';
import { createLogger } from '../../core/log.ts';
import { CONFIG_FLAG, CONFIG_HELP, loadConfigFile } from '../config-file.ts';
import { thisMachine } from '../machine.ts';
import { storageOwnerProblem } from '../storage-owner.ts';
import type { Terminal } from '../terminal.ts';
import type { Verb } from '../verb.ts';

export const trustVerb: Verb = {
  name: 'certs trust',
  help: `Usage: perantara certs trust [--undo] [--config FILE]

Makes this machine trust the local CA, which certifies localhost and private
names: its root goes where the system keeps its authorities and into the
Firefox and Chromium profiles of the person at the terminal. The root is made
if there is none yet. May be repeated.

Where rights or programs are missing, it says so and shows the command to type;
"sudo perantara certs trust" has the rights. Whoever has the root's key
(local-ca/bundle.pem in the storage folder) can then pretend to be any site
before this machine: keep it to yourself.

  --undo             take the root away again
${CONFIG_HELP}`,
  flags: { ...CONFIG_FLAG, undo: { value: null } },
  words: [],
  run: async (flags, terminal) => {
    const loaded = loadConfigFile(flags, terminal);
    if (loaded === null) return 1;
    return changeTrust(loaded.config, flags.on('undo') ? 'remove' : 'add', thisMachine(terminal), terminal);
  },
};

/** Resolves with the exit code. */
export async function changeTrust(
  config: Config,
  change: 'add' | 'remove',
  machine: Machine,
  terminal: Pick<Terminal, 'out' | 'err'>,
): Promise<number> {
  let root: TrustedRoot | null;
  try {
    root = await findRoot(config, change === 'add');
  } catch (error) {
    terminal.err(`perantara certs trust: ${messageOf(error)}\n`);
    return 1;
  }
  if (root === null) {
    terminal.out('There is no local root, so nothing to undo.\n');
    return 0;
  }
  const { findTrustStores } = await import('../../certs/trust/find-stores.ts');
  const stores = await findTrustStores(machine);
  terminal.out(`${root.name} (${root.file})\n`);
  let failed = stores.length === 0;
  if (failed) terminal.err('No place is known where this system keeps its authorities; import the file by hand.\n');
  for (const store of stores) {
    const outcome = await store[change](root);
    failed ||= outcome.done === 'failed';
    terminal.out(linesOf(store.name, outcome));
  }
  return failed ? 1 : 0;
}

function linesOf(name: string, outcome: TrustOutcome): string {
  if (outcome.done !== 'failed') return `${outcome.done}: ${name}\n`;
  return `could not: ${name}: ${outcome.reason}\n  by hand: ${outcome.byHand}\n`;
}

/** The stored root, or a new one when it may be made. */
async function findRoot({ storage: folder }: Config, mayMake: boolean): Promise<TrustedRoot | null> {
  const { FileStorage } = await import('../../certs/storage/file-storage.ts');
  const { LOCAL_ROOT, LocalCa } = await import('../../certs/local-ca.ts');
  const storage = new FileStorage(folder);
  let pem = await storage.load(LOCAL_ROOT);
  if (pem === null && mayMake) {
    const problem = await storageOwnerProblem(folder);
    if (problem !== null) throw new PerantaraError(problem, { code: 'storage_owner', source: 'operator' });
    const { FileLocker } = await import('../../certs/storage/file-locker.ts');
    const log = createLogger({ level: 'silent', pretty: false });
    const localCa = new LocalCa({ storage, locker: new FileLocker(folder), log, clock: systemClock });
    pem = (await localCa.ensureRoot(new AbortController().signal)).certPem;
    await localCa.close();
  }
  if (pem === null) return null;
  const { raw, subject } = new X509Certificate(pem);
  const digest = (algorithm: string): string => createHash(algorithm).update(raw).digest('hex').toUpperCase();
  return {
    pem,
    file: storage.locate(LOCAL_ROOT),
    name: /^CN=(.*)$/m.exec(subject)?.[1] ?? 'Perantara Local Root',
    sha256: digest('sha256'),
    sha1: digest('sha1'),
  };
}
