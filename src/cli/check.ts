// `perantara check NAME`: what could keep a name from its certificate, and what to do about it.
import type { Finding, Verdict } from '../certs/preflight/finding.ts';
import type { AcmeConfig, Config, SiteTls } from '../config/config.ts';
import { systemClock } from '../core/clock.ts';
import { normalizeHostPattern, wildcardOf } from '../core/hostname.ts';
import { printable } from '../core/printable.ts';
import { CONFIG_FLAG, CONFIG_HELP, loadConfigFile } from './config-file.ts';
import { storageOwnerProblem } from './storage-owner.ts';
import type { Terminal } from './terminal.ts';
import { UsageError, type Verb } from './verb.ts';

const VISIT_MS = 10_000;

export const checkVerb: Verb = {
  name: 'check',
  help: `Usage: perantara check NAME [--config FILE] [--resolver ADDRESS] [--json]

Looks at everything that could keep NAME from its certificate: the name itself,
its addresses, whether port 80 (or 443) leads here, CAA records, the storage
folder, the clock, the authority. Each line says ok or what to do.

Nothing is ordered, so nothing counts against an authority's limits. Run it as
the user that runs Perantara. When Perantara runs, it answers the test itself;
when not, the check opens listen.http for a moment. NAME need not be in the
file: it is then looked at as if it were.

Ends with 0 when nothing stands in the way, else with 1.

  --resolver ADDRESS the DNS resolver to ask, such as 9.9.9.9 or [::1]:53;
                     without it the system's
${CONFIG_HELP}  --json             for programs
`,
  flags: { ...CONFIG_FLAG, resolver: { value: 'ADDRESS' }, json: { value: null } },
  words: ['NAME'],
  run: async (flags, terminal, [word]) => {
    const name = normalizeHostPattern(word!);
    if (name === null) throw new UsageError(`cannot check ${JSON.stringify(word)}: it is no host name and no address`);
    const { SystemDns } = await import('../certs/preflight/dns-look-up.ts');
    const dns = openResolver(flags.text('resolver'), (server) => new SystemDns(server));
    const loaded = loadConfigFile(flags, terminal);
    if (loaded === null) return 1;
    const { config } = loaded;
    const problem = await storageOwnerProblem(config.storage);
    if (problem !== null) {
      terminal.err(`perantara check: ${problem}\n`);
      return 1;
    }
    const tls = tlsOf(name, config);
    if (tls.kind !== 'acme') {
      terminal.out(
        `${name} ${tls.kind === 'local' ? 'uses the local CA' : 'has a certificate of its own'}: no authority is asked\n`,
      );
      return 0;
    }
    const { preflight } = await import('../certs/preflight/preflight.ts');
    const { FileStorage } = await import('../certs/storage/file-storage.ts');
    const { createLogger } = await import('../core/log.ts');
    const findings = await preflight(name, tls, config, {
      dns,
      storage: new FileStorage(config.storage),
      clock: systemClock,
      log: createLogger({ level: 'silent', pretty: false }),
      ports: { http: 80, https: 443 },
      stored: await storedFingerprints(name, config),
      timeoutMs: VISIT_MS,
    });
    report(name, findings, flags.on('json'), terminal);
    return findings.some(({ verdict }) => verdict === 'problem') ? 1 : 0;
  },
};

const WORDS: Readonly<Record<Verdict, string>> = {
  ok: 'ok',
  warning: 'warning',
  problem: 'problem',
  unknown: 'unknown',
};

export function report(
  name: string,
  findings: readonly Finding[],
  json: boolean,
  terminal: Pick<Terminal, 'out'>,
): void {
  const count = (verdict: Verdict): number => findings.filter((each) => each.verdict === verdict).length;
  if (json) {
    terminal.out(`${JSON.stringify({ name, ok: count('problem') === 0, findings }, null, 2)}\n`);
    return;
  }
  for (const { check, verdict, found, advice } of findings) {
    terminal.out(`${WORDS[verdict].padEnd(8)} ${check}: ${printable(found)}\n`);
    if (advice !== null) terminal.out(`         → ${printable(advice)}\n`);
  }
  const problems = count('problem');
  terminal.out(
    problems > 0
      ? `${problems === 1 ? '1 problem keeps' : `${problems} problems keep`} ${name} from its certificate\n`
      : `nothing that can be seen from here keeps ${name} from its certificate\n`,
  );
}

/** Throws UsageError when it is no address. */
function openResolver<T>(server: string | null, open: (server: string | null) => T): T {
  try {
    return open(server);
  } catch {
    throw new UsageError(
      `cannot use --resolver ${JSON.stringify(server)}: it is no IP address, with or without :PORT, such as 9.9.9.9:53`,
    );
  }
}

/** How the site is certified that serves the name; for one that is not in the file, as a site without settings would be. */
function tlsOf(name: string, { sites, acme }: Config): SiteTls {
  const site = sites.find(({ host }) => host === name) ?? sites.find(({ host }) => host === wildcardOf(name));
  return site?.tls ?? defaultTls(acme, name);
}

function defaultTls(acme: readonly AcmeConfig[], name: string): SiteTls {
  const directories = acme.map(({ directory }) => directory);
  const challenges = name.startsWith('*.') ? (['dns-01'] as const) : (['http-01'] as const);
  return { kind: 'acme', directories, challenges, keyTypes: ['p256'], profile: null, group: null };
}

/** Of whatever is stored for it, by any authority. */
async function storedFingerprints(name: string, config: Config): Promise<readonly string[]> {
  const { acmeIssuerId } = await import('../certs/acme/issuer.ts');
  const { CertificateStore } = await import('../certs/storage/certificate-store.ts');
  const { FileStorage } = await import('../certs/storage/file-storage.ts');
  const { createLogger } = await import('../core/log.ts');
  const store = new CertificateStore(new FileStorage(config.storage), createLogger({ level: 'silent', pretty: false }));
  const found = await Promise.all(
    config.acme.map(({ directory }) => store.read(acmeIssuerId(directory), name).catch(() => null)),
  );
  return found.flatMap((certificate) => (certificate === null ? [] : [certificate.fingerprint]));
}
