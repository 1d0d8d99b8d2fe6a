// Records put by a program of the operator's, in the form of lego's `exec` provider: `PROGRAM present|cleanup FQDN. VALUE`.
// No shell takes part; the program and whatever it has started end with the signal.
import { messageOf, PerantaraError } from '../../core/errors.ts';
import { printable } from '../../core/printable.ts';
import { runProgram } from '../../core/run-program.ts';
import type { DnsProvider, DnsRecord } from './provider.ts';

export interface ExecProviderOptions {
  readonly program: string;
  /** Before our own arguments. */
  readonly args: readonly string[];
}

const SHOWN_LINES = 3;
/** From SIGTERM to SIGKILL. */
const GRACE_MS = 2_000;

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
    const outcome = await runProgram(this.#options.program, args, { graceMs: GRACE_MS }, signal).catch(
      (error: unknown) => {
        signal.throwIfAborted();
        throw this.#failure(action, fqdn, `it cannot be started (${messageOf(error)}); check dns.exec`, error);
      },
    );
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

/** Its last lines, for the message. */
function said(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.trim());
  const last = lines.filter((line) => line !== '').slice(-SHOWN_LINES);
  return last.length === 0 ? 'said nothing' : `said: ${last.map(printable).join(' / ')}`;
}
