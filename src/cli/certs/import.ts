// `perantara certs import`: takes over certificates that another program obtained.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ImportOutcome } from '../../certs/import/import.ts';
import { systemClock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import { createLogger } from '../../core/log.ts';
import { fileState } from '../../core/pem-file.ts';
import { printable } from '../../core/printable.ts';
import { CONFIG_FLAG, CONFIG_HELP, loadConfigFile } from '../config-file.ts';
import { storageOwnerProblem } from '../storage-owner.ts';
import type { Verb } from '../verb.ts';

export const importVerb: Verb = {
  name: 'certs import',
  help: `Usage: perantara certs import FILE|FOLDER [--password-file FILE] [--config FILE]

Takes over certificates that another program obtained: the folder of certbot
(/etc/letsencrypt) or Caddy, any folder with pairs, a PEM file with its key in
it or beside it, or PKCS#12. Each goes where the certificate of its site lies,
is served at once, and renewed when it is due. The files themselves stay.

Run it as the user that runs Perantara, who must be able to read them. Ends
with 0 when something was taken over, else with 1.

  --password-file FILE
                     its first line is the password of a PKCS#12 file
${CONFIG_HELP}`,
  flags: { ...CONFIG_FLAG, 'password-file': { value: 'FILE' } },
  words: ['FILE|FOLDER'],
  run: async (flags, terminal, [path]) => {
    const loaded = loadConfigFile(flags, terminal);
    if (loaded === null) return 1;
    const { config } = loaded;
    try {
      const problem = await storageOwnerProblem(config.storage);
      if (problem !== null) throw new Error(problem);
      const passwordFile = flags.text('password-file');
      const password = passwordFile === null ? '' : firstLine(resolve(terminal.folder, passwordFile));
      const { readImport } = await import('../../certs/import/imported.ts');
      const found = await readImport(resolve(terminal.folder, path!), password, terminal.now());
      for (const { file, reason } of found.problems)
        terminal.err(`${printable(file)}: not usable: ${printable(reason)}\n`);

      const { importCertificates } = await import('../../certs/import/import.ts');
      const { planCertificates } = await import('../../certs/certificate-plan.ts');
      const { CertificateStore } = await import('../../certs/storage/certificate-store.ts');
      const { FileLocker } = await import('../../certs/storage/file-locker.ts');
      const { FileStorage } = await import('../../certs/storage/file-storage.ts');
      const storage = new FileStorage(config.storage);
      const log = createLogger({ level: 'silent', pretty: false });
      const locker = new FileLocker(config.storage);
      const services = { storage, store: new CertificateStore(storage, log), locker, log, clock: systemClock };
      const results = await importCertificates(found.certificates, planCertificates(config), services);
      for (const { imported, outcomes } of results)
        for (const outcome of outcomes) terminal.out(`${printable(imported.file)}: ${wordsOf(outcome)}\n`);
      const isStored = results.some(({ outcomes }) => outcomes.some(({ kind }) => kind === 'stored'));
      const nothing = found.certificates.length + found.problems.length === 0;
      if (!isStored)
        terminal.err(
          nothing
            ? `nothing was taken over: no certificate with its key beside or inside it is in ${JSON.stringify(path)}\n`
            : 'nothing was taken over\n',
        );
      return isStored ? 0 : 1;
    } catch (error) {
      terminal.err(`perantara certs import: ${printable(messageOf(error))}\n`);
      return 1;
    }
  },
};

function firstLine(file: string): string {
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/, 1)[0]!;
  } catch (error) {
    throw new Error(`cannot read --password-file "${file}": it ${fileState(error)}`);
  }
}

function wordsOf(outcome: ImportOutcome): string {
  const about = outcome.name === null ? '' : ` for ${outcome.name}`;
  if (outcome.kind === 'passed over') return `passed over${about}: ${printable(outcome.reason)}`;
  return `taken over${about} (${outcome.issuerId})${outcome.remark === null ? '' : `: ${printable(outcome.remark)}`}`;
}
