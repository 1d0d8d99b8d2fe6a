// A proxy under hostile input, whichever it is: where it listens and whether it still runs.
import type { Setting } from './hostile-case.ts';

export interface Upstreams {
  readonly publicPort: number;
  readonly guardedPort: number;
}

export interface Subject {
  /** TLS, for app.localhost. */
  readonly port: number;
  /** Redirects to TLS; null when it has none. */
  readonly redirectPort: number | null;
  /** Whether its process has ended. */
  died(): boolean;
  stop(): Promise<void>;
}

export type StartSubject = (upstreams: Upstreams, setting: Setting) => Promise<Subject>;
