// A proxy in the comparison: found on this machine, started as a child of its own in front of two origins. All are set up
// alike: TLS for app.localhost with HTTP/2 where they have it, HTTP/1.1 upstream, /admin/ to one origin and the rest to
// another, upstream connections kept, X-Forwarded-For and -Proto said, and little patience.
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Launch } from '../../bench/contestants/contestant.ts';
import { accepts } from '../../support/accepts.ts';
import { startChild } from '../../support/child.ts';
import { freePorts } from '../../support/free-port.ts';
import { makeAuthority, mint } from '../../support/minted.ts';
import { retry } from '../../support/retry.ts';
import type { Setting } from '../hostile-case.ts';
import type { Subject, Upstreams } from '../subject.ts';

export const CONTENDER_NAMES = ['perantara', 'nginx', 'haproxy', 'caddy', 'http-proxy'] as const;
export type ContenderName = (typeof CONTENDER_NAMES)[number];

/** Of every phase that a proxy lets one set, in seconds. */
export const TIMEOUT_SECONDS = 2;

export interface Site extends Upstreams {
  /** Its own, empty; removed when it ends. */
  readonly folder: string;
  readonly port: number;
  /** For a plain listener that redirects, where it has one. */
  readonly redirectPort: number;
  readonly certFile: string;
  readonly keyFile: string;
}

export interface Contender {
  readonly name: ContenderName;
  readonly version: string;
  /** What is set besides, for the page. */
  readonly setting: string;
  /** Whether it listens on `redirectPort` and knows every setting; the others are set up in the usual way only. */
  readonly isOurs: boolean;
  /** Why it gets none of the inputs over HTTP/2, for the page; null: it speaks HTTP/2 to clients and gets them. */
  readonly noHttp2: string | null;
  /** Writes its configuration into the folder. */
  prepare(site: Site, setting: Setting): Promise<Launch>;
}

const START_MS = 15_000;

/** Starts it and waits until it accepts connections. */
export async function startContender(contender: Contender, upstreams: Upstreams, setting: Setting): Promise<Subject> {
  const folder = await mkdtemp(join(tmpdir(), `perantara-hostile-${contender.name}-`));
  const [port, redirectPort] = (await freePorts(2)) as [number, number];
  const { certPem, keyPem } = mint(['app.localhost'], makeAuthority());
  const certFile = join(folder, 'cert.pem');
  const keyFile = join(folder, 'key.pem');
  await writeFile(certFile, certPem);
  await writeFile(keyFile, keyPem, { mode: 0o600 });
  const launch = await contender.prepare({ ...upstreams, folder, port, redirectPort, certFile, keyFile }, setting);
  const child = startChild({ ...launch, folder });
  try {
    await retry(() => accepts(port), { deadlineMs: START_MS, hopeless: () => child.ended() });
  } catch (error) {
    await child.stop();
    throw new Error(`${contender.name} does not start: ${(error as Error).message}\n${child.output()}`);
  }
  return {
    port,
    redirectPort: contender.isOurs ? redirectPort : null,
    died: () => child.ended(),
    stop: async () => void (await child.stop()),
  };
}
