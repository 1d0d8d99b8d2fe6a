// Loads the configuration file again and puts it in force, for whoever asks: a signal, a change of the file, the admin
// endpoint. The log and the caller are told the same.
import type { Config } from '../config/config.ts';
import type { LoadResult } from '../config/load.ts';
import { explainProblem, type Problem, positionOf } from '../config/problem.ts';
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { ReloadResult } from '../server/reload-result.ts';

/** What puts a configuration in force: server/Server. Never rejects. */
export interface Reloadable {
  reload(config: Config, warnings: readonly Problem[]): Promise<ReloadResult>;
}

export type ReloadCause = 'signal' | 'file' | 'admin';

export class ConfigReload {
  readonly #load: () => LoadResult;
  readonly #server: Reloadable;
  readonly #log: Logger;

  /** `load`: as the process loaded it when it started. */
  constructor(load: () => LoadResult, server: Reloadable, log: Logger) {
    this.#load = load;
    this.#server = server;
    this.#log = log;
  }

  /** Never rejects: what goes wrong inside refuses the configuration too. */
  async run(cause: ReloadCause): Promise<ReloadResult> {
    const result = await this.#attempt();
    if (!result.accepted) {
      const problems = result.problems.map((problem) => `${positionOf(problem)}: ${explainProblem(problem)}`);
      this.#log.error({ cause, problems, reason: result.message }, 'configuration refused, the one before stays');
      return result;
    }
    for (const warning of result.warnings)
      this.#log.warn({ position: positionOf(warning), problem: explainProblem(warning) }, 'configuration warning');
    const { generation, changes } = result;
    const counts = Object.fromEntries(Object.entries(changes).map(([what, names]) => [what, names.length]));
    this.#log.info({ cause, generation, ...counts }, 'configuration in force');
    return result;
  }

  async #attempt(): Promise<ReloadResult> {
    try {
      const loaded = this.#load();
      if (loaded.ok) return await this.#server.reload(loaded.config, loaded.warnings);
      const { problems } = loaded;
      const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
      return { accepted: false, problems, message: `cannot use the new configuration: ${count}` };
    } catch (error) {
      this.#log.error({ err: error }, 'reload failed inside Perantara');
      return { accepted: false, problems: [], message: `cannot use the new configuration: ${messageOf(error)}` };
    }
  }
}
