// `perantara explain URL`: what would become of a request, and why, by the file and what storage knows.
import { isIP } from 'node:net';
import type { CertificateStatus } from '../certs/certificate-status.ts';
import type { Config, SiteConfig } from '../config/config.ts';
import { normalizeAddress } from '../core/address.ts';
import { systemClock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import { printable } from '../core/printable.ts';
import { parseAuthority } from '../http/authority.ts';
import { HeaderList } from '../http/header-list.ts';
import { parseRequestTarget } from '../http/request-target.ts';
import type { AskedRequest, Decision } from '../server/explanation.ts';
import type { TargetReport } from '../server/worker-report.ts';
import { CONFIG_FLAG, CONFIG_HELP, loadConfigFile } from './config-file.ts';
import type { Flags } from './flags.ts';
import { listOf, processOf } from './running-process.ts';
import { UsageError, type Verb } from './verb.ts';

/** Where the answers stand. */
const INDENT = 13;

export const explainVerb: Verb = {
  name: 'explain',
  help: `Usage: perantara explain URL [--from ADDRESS] [--method METHOD] [--config FILE]

Says what would become of a request for URL: which listener takes it, which
certificate, site and route it gets and why no other, who answers it, and what
the upstream would be told. By the file and the storage folder; the running
process, if there is one, is asked which targets are drained. Nobody else is.

  --from ADDRESS     the client's address; without it 192.0.2.1
  --method METHOD    without it GET
${CONFIG_HELP}  --json             for programs

Ends with 0 when somebody answers other than with 404 or a refusal, else with 1.
`,
  flags: { ...CONFIG_FLAG, from: { value: 'ADDRESS' }, method: { value: 'METHOD' }, json: { value: null } },
  words: ['URL'],
  run: async (flags, terminal, [url]) => {
    const asked = readRequest(url!, flags);
    const loaded = loadConfigFile(flags, terminal);
    if (loaded === null) return 1;
    const { explain } = await import('../server/explanation.ts');
    const drained = await drainedTargets(loaded.config, loaded.file);
    const { decisions, site } = explain(loaded.config, asked, drained);
    const isSecure = asked.scheme === 'https' && site !== null;
    const certificate = isSecure ? await certificateOf(loaded.config, site) : null;
    const all: readonly (Decision | CertificateDecision)[] =
      certificate === null ? decisions : [decisions[0]!, certificate, ...decisions.slice(1)];
    terminal.out(flags.on('json') ? `${JSON.stringify({ decisions: all }, null, 2)}\n` : textOf(all));
    const isRefused = decisions.some(
      ({ about, outcome }) => about !== 'site' && /^(none|404|503 Service)/.test(outcome),
    );
    return site === null || isRefused ? 1 : 0;
  },
};

/** Those of the process that serves the file. */
async function drainedTargets(config: Config, file: string): Promise<ReadonlySet<string>> {
  const running = await processOf(config, file);
  if (running === null) return new Set();
  const targets = await listOf<TargetReport>(running, 'targets').catch(() => []);
  return new Set(targets.flatMap(({ name, drained }) => (drained ? [name] : [])));
}

interface CertificateDecision {
  readonly about: 'certificate';
  readonly outcome: string;
  readonly reasons: readonly string[];
}

/** Throws UsageError. */
function readRequest(url: string, flags: Flags): AskedRequest {
  const cannot = (why: string): UsageError => new UsageError(`cannot explain ${JSON.stringify(url)}: ${why}`);
  const written = /^(https?):\/\/([^/?#]+)([^#]*)$/i.exec(url.includes('://') ? url : `https://${url}`);
  if (written === null) throw cannot('it is no http:// or https:// URL');
  const scheme = written[1]!.toLowerCase() as 'http' | 'https';
  const authority = parseAuthority(written[2]!);
  if (authority === null) throw cannot('its host is no host name and no address');
  const method = flags.text('method') ?? 'GET';
  if (!/^[!#$%&'*+.^_`|~\w-]+$/.test(method)) throw new UsageError(`cannot use the method ${JSON.stringify(method)}`);
  const rest = written[3]!;
  const target = parseRequestTarget(method, rest.startsWith('/') ? rest : `/${rest}`);
  if (target === null) throw cannot('its path is refused with 400: see docs/architecture.md, "Paths"');
  const client = flags.text('from') ?? '192.0.2.1';
  if (isIP(client) === 0) throw new UsageError(`cannot use --from ${JSON.stringify(client)}: it is no IP address`);
  const from = normalizeAddress(client);
  const { host, port } = authority;
  const { path, query } = target;
  const usualPort = scheme === 'https' ? 443 : 80;
  return { scheme, host, port: port ?? usualPort, method, path, query, from, headers: new HeaderList() };
}

/** As `perantara certs` has it. */
async function certificateOf(config: Config, site: SiteConfig): Promise<CertificateDecision> {
  const { takeInventory } = await import('../certs/inventory.ts');
  try {
    const { planCertificates } = await import('../certs/certificate-plan.ts');
    const names = new Set(
      planCertificates(config).flatMap((plan) => (plan.names.includes(site.host) ? [plan.names[0]!] : [])),
    );
    const sites = config.sites.filter(
      ({ host, tls }) => host === site.host || (names.has(host) && tls.kind !== 'supplied'),
    );
    const { certificates } = await takeInventory({ ...config, sites, onDemand: null }, systemClock);
    const [first, ...others] = certificates.filter((status) => status.names.includes(site.host));
    if (first === undefined) return { about: 'certificate', outcome: 'none', reasons: [] };
    const reasons = others.map((other) => `beside it, for clients that take no other: ${certificateText(other)}`);
    if (first.lastError !== null) reasons.push(`last failure: ${first.lastError.message}`);
    return { about: 'certificate', outcome: certificateText(first), reasons };
  } catch (error) {
    return { about: 'certificate', outcome: 'unknown', reasons: [messageOf(error)] };
  }
}

function certificateText({ names, state, issuer, notAfter, keyType, source }: CertificateStatus): string {
  const until = notAfter === null ? '' : ` until ${new Date(notAfter).toISOString().slice(0, 10)}`;
  const by = issuer === null ? source : issuer;
  return `${names.join(', ')}: ${state}${until}, ${by}${keyType === null ? '' : `, ${keyType}`}`;
}

function textOf(decisions: readonly { about: string; outcome: string; reasons: readonly string[] }[]): string {
  const gap = ' '.repeat(INDENT);
  let text = '';
  for (const { about, outcome, reasons } of decisions) {
    text += `${about.padEnd(INDENT)}${printable(outcome)}\n`;
    for (const reason of reasons) text += `${gap}  ${printable(reason)}\n`;
  }
  return text;
}
