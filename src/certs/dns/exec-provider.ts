// Records put by a program of the operator's, in the form of lego's `exec` provider: `PROGRAM present|cleanup FQDN. VALUE`.
// No shell takes part; the program and whatever it has started end with the signal.
import { type ChildProcess, spawn } from 'node:child_process';
import { messageOf, PerantaraError } from '../../core/errors.ts';
import { printable } from '../../core/printable.ts';
import type { DnsProvider, DnsRecord } from './provider.ts';

export interface ExecProviderOptions {
  readonly program: string;
  /** Before our own arguments. */
  readonly args: readonly string[];
}

const KEPT_CHARS = 4_096;
const SHOWN_LINES = 3;
/** From SIGTERM to SIGKILL. */
const GRACE_MS = 2_000;
/** From its end to the end of what it said. */
const DRAIN_MS = 500;

interface Outcome {
  readonly code: number | null;
  readonly killedBy: string | null;
  readonly stderr: string;
}

export class ExecProvider implements DnsProvider {
  readonly name: string;
  readonly #options: ExecProviderOptions;

  constructor(options: ExecProviderOptions) {
    this.#options = options;
    this.name = `program "${options.program}"`;
  }

  present(record: DnsRecord, signal: AbortSignal): Promise<void> {
    return this.#run('present', record, signal);
  }

  cleanUp(record: DnsRecord, signal: AbortSignal): Promise<void> {
    return this.#run('cleanup', record, signal);
  }

  async #run(action: 'present' | 'cleanup', { fqdn, value }: DnsRecord, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const args = [...this.#options.args, action, `${fqdn}.`, value];
    const outcome = await run(this.#options.program, args, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      throw this.#failure(action, fqdn, `it cannot be started (${messageOf(error)}); check dns.exec`, error);
    });
    signal.throwIfAborted();
    if (outcome.code === 0) return;
    const end = outcome.killedBy === null ? `it ended with ${outcome.code}` : `it was killed by ${outcome.killedBy}`;
    throw this.#failure(action, fqdn, `${end} and ${said(outcome.stderr)}`);
  }

  #failure(action: string, fqdn: string, state: string, cause?: unknown): PerantaraError {
    const details = { code: 'dns_provider_failed', source: 'operator', retryable: true, cause } as const;
    return new PerantaraError(`cannot ${action} the TXT record at "${fqdn}" by ${this.name}: ${state}`, details);
  }
}

/** Resolves when the program has ended. Rejects when it cannot be started. */
async function run(program: string, args: readonly string[], signal: AbortSignal): Promise<Outcome> {
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
  // A group of its own, so that what it starts can be ended too.
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-KEPT_CHARS);
  });
  let killing: NodeJS.Timeout | undefined;
  let draining: NodeJS.Timeout | undefined;
  child.on('error', reject).on('exit', (code, killedBy) => {
    // What it said may still be in the pipe; a program that it left running may hold that for ever.
    draining = setTimeout(() => resolve({ code, killedBy, stderr }), DRAIN_MS);
    child.on('close', () => resolve({ code, killedBy, stderr }));
  });
  const onAbort = (): void => {
    kill(child, 'SIGTERM');
    killing = setTimeout(() => kill(child, 'SIGKILL'), GRACE_MS);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
    clearTimeout(killing);
    clearTimeout(draining);
    child.stderr.destroy();
  }
}

function kill(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch {
    // It has ended by itself.
  }
}

/** Its last lines, for the message. */
function said(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.trim());
  const last = lines.filter((line) => line !== '').slice(-SHOWN_LINES);
  return last.length === 0 ? 'said nothing' : `said: ${last.map(printable).join(' / ')}`;
}
