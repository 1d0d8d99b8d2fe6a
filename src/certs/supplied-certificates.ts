// The operator's own certificate files, for life: looked at whenever they may have changed, served anew when they have and
// are sound. A broken, mismatched or half-written file changes nothing: what was served stays, and the log says why, once.
import { createHash, X509Certificate } from 'node:crypto';
import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { SiteConfig, SuppliedFiles } from '../config/config.ts';
import { readCertificateFiles } from '../core/certificate-files.ts';
import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Lifecycle } from '../core/lifecycle.ts';
import type { Logger } from '../core/log.ts';
import type { ServedCertificate } from './resolver.ts';

export interface SuppliedCertificatesOptions {
  /** Serves it for the host from now on. Throws a PerantaraError when it cannot be served; the one before stays then. */
  readonly publish: (host: string, certificate: ServedCertificate) => void;
  /** Refuses handshakes for the host from now on. */
  readonly withdraw: (host: string) => void;
  /** Throws `key_compromised` for a certificate whose key may never be used again. */
  readonly refuse: (certificate: ServedCertificate, subject: string) => void;
  readonly log: Logger;
  readonly clock: Clock;
  /** Between a change and the reading of the files, since two of them change one after the other. Default 1 s. */
  readonly settleMs?: number;
  /** Files are looked at this often besides: not every file system tells of changes. Default 60 s. */
  readonly lookMs?: number;
}

const SETTLE_MS = 1_000;
const LOOK_MS = 60_000;

/** One pair of files, or bundle, and the sites that it serves. */
interface Supplied {
  readonly files: SuppliedFiles;
  readonly paths: readonly string[];
  readonly hosts: string[];
  /** Of what is served. */
  served: string;
  /** Its chain; null: it was withdrawn, since its key turned out to be compromised. */
  chain: string | null;
  /** Times, sizes and inodes at the last reading; null: to be read. */
  seen: string | null;
  /** What was last said about them, so that it is said once. */
  said: string;
  /** When they are to be judged again unchanged, because the certificate begins or ends. */
  judgeAgainAt: number;
}

export class SuppliedCertificates implements Lifecycle {
  readonly #options: SuppliedCertificatesOptions;
  readonly #supplied: readonly Supplied[];
  readonly #watchers: FSWatcher[] = [];
  #state: 'new' | 'running' | 'closed' = 'new';
  #settling: NodeJS.Timeout | undefined;
  #looking: NodeJS.Timeout | undefined;
  #flight: Promise<void> = Promise.resolve();

  /** `sites`: those without files of their own are passed over. What config loading read of them is served already. */
  constructor(sites: readonly Pick<SiteConfig, 'host' | 'tls'>[], options: SuppliedCertificatesOptions) {
    this.#options = options;
    const supplied = new Map<string, Supplied>();
    for (const { host, tls } of sites) {
      if (tls.kind !== 'supplied') continue;
      const id = JSON.stringify(tls.files);
      const known = supplied.get(id);
      if (known !== undefined) known.hosts.push(host);
      else supplied.set(id, watched(tls.files, host, tls));
    }
    this.#supplied = [...supplied.values()];
  }

  /** Begins to watch; never rejects, waits for nothing. What changed since the configuration was read is found soon. */
  async start(): Promise<void> {
    if (this.#state !== 'new') return;
    this.#state = 'running';
    if (this.#supplied.length === 0) return;
    for (const folder of new Set(this.#supplied.flatMap(({ paths }) => paths.map(dirname)))) this.#watch(folder);
    const { lookMs = LOOK_MS } = this.#options;
    this.#looking = setInterval(() => void this.look(), lookMs).unref();
    void this.look();
  }

  async close(): Promise<void> {
    this.destroy();
    await this.#flight;
  }

  destroy(): void {
    this.#state = 'closed';
    clearTimeout(this.#settling);
    clearInterval(this.#looking);
    for (const watcher of this.#watchers.splice(0)) watcher.close();
  }

  /** Reads what has changed since the last look. Never rejects. */
  look(): Promise<void> {
    this.#flight = this.#flight.then(() => this.#look());
    return this.#flight;
  }

  /** The folder, not the files: editors and Kubernetes put new ones in their places. */
  #watch(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#settle());
      // Gone with its folder, say; the regular look goes on.
      watcher.on('error', () => watcher.close());
      this.#watchers.push(watcher);
    } catch (error) {
      this.#options.log.warn({ folder, err: error }, 'certificate folder not watched, looked at now and then');
    }
  }

  #settle(): void {
    const { settleMs = SETTLE_MS } = this.#options;
    clearTimeout(this.#settling);
    if (this.#state === 'running') this.#settling = setTimeout(() => void this.look(), settleMs).unref();
  }

  async #look(): Promise<void> {
    if (this.#state !== 'running') return;
    for (const supplied of this.#supplied) {
      this.#withdrawCompromised(supplied);
      const seen = await stampOf(supplied.paths);
      if (this.#state !== 'running') return;
      const now = this.#options.clock.now();
      if (seen === supplied.seen && now < supplied.judgeAgainAt) continue;
      const isFirst = supplied.seen === null;
      supplied.seen = seen;
      this.#read(supplied, now, isFirst);
    }
  }

  #read(supplied: Supplied, now: number, isFirst: boolean): void {
    const { log } = this.#options;
    const { files, hosts: names, paths } = supplied;
    const { pair, findings } = readCertificateFiles(files, { hosts: names, now });
    const isKnown = pair !== null && digestOf(pair) === supplied.served;
    const errors = findings.filter(({ severity }) => severity === 'error').map(({ state }) => state);
    const failure = pair === null ? errors.join('; ') : isKnown ? null : this.#publish(supplied, pair);
    supplied.judgeAgainAt = pair === null ? Number.POSITIVE_INFINITY : nextEdge(pair, now);
    // However often the files are touched.
    const words = failure ?? [supplied.served, ...findings.map(({ state }) => state)].join('; ');
    if (words === supplied.said) return;
    supplied.said = words;
    if (failure !== null)
      log.error({ names, files: paths, reason: failure }, 'supplied certificate refused, the one before stays');
    // What was found at load has been said then.
    else if (!isFirst || !isKnown)
      for (const { state, found } of findings)
        log.warn({ names, files: paths, reason: state, found }, 'supplied certificate questionable');
  }

  /** Its key may have been given away by another process since it was published. */
  #withdrawCompromised(supplied: Supplied): void {
    const { refuse, withdraw, log } = this.#options;
    const { chain, hosts: names, paths } = supplied;
    if (chain === null) return;
    try {
      refuse({ certPem: chain, keyPem: '' }, `certificate supplied for "${names[0]}"`);
    } catch (error) {
      for (const host of names) withdraw(host);
      supplied.chain = null;
      log.error({ names, files: paths, reason: messageOf(error) }, 'supplied certificate withdrawn');
    }
  }

  /** Why it cannot be served, or null. */
  #publish(supplied: Supplied, pair: ServedCertificate): string | null {
    const { publish, refuse, log } = this.#options;
    try {
      refuse(pair, `certificate supplied for "${supplied.hosts[0]}"`);
      for (const host of supplied.hosts) publish(host, pair);
    } catch (error) {
      return messageOf(error);
    }
    supplied.served = digestOf(pair);
    supplied.chain = pair.certPem;
    log.info({ names: supplied.hosts, files: supplied.paths }, 'supplied certificate changed');
    return null;
  }
}

function watched(files: SuppliedFiles, host: string, pair: ServedCertificate): Supplied {
  const paths = files.form === 'pem' ? [...new Set([files.cert, files.key])] : [files.file];
  const known = { served: digestOf(pair), chain: pair.certPem };
  return { files, paths, hosts: [host], ...known, seen: null, said: '', judgeAgainAt: 0 };
}

/** The next moment at which the certificate becomes valid or ends. */
function nextEdge({ certPem }: ServedCertificate, now: number): number {
  const { validFromDate, validToDate } = new X509Certificate(certPem);
  return Math.min(...[validFromDate.getTime(), validToDate.getTime()].filter((at) => at > now));
}

/** Tells one state of the files from another: what editors, `mv` and swapped symbolic links change. */
async function stampOf(paths: readonly string[]): Promise<string> {
  const stamps = await Promise.all(
    paths.map(async (path) => {
      const stats = await stat(path, { bigint: true }).catch(() => null);
      return stats === null ? 'none' : `${stats.dev}.${stats.ino}.${stats.size}.${stats.mtimeNs}.${stats.ctimeNs}`;
    }),
  );
  return stamps.join(' ');
}

/** Keeps no second copy of the key. */
function digestOf({ certPem, keyPem }: ServedCertificate): string {
  return createHash('sha256').update(certPem).update(keyPem).digest('base64');
}
