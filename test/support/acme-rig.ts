// An AcmeIssuer and the scripted CA it talks to, over one storage that outlives it.
import type { TestContext } from 'node:test';
import { AcmeIssuer, type AcmeIssuerOptions } from '../../src/certs/acme/issuer.ts';
import type { ChallengeSolver } from '../../src/certs/challenges/challenge-solver.ts';
import { ChallengeTokens } from '../../src/certs/challenges/challenge-tokens.ts';
import { HttpSolver } from '../../src/certs/challenges/http-solver.ts';
import type { Storage } from '../../src/certs/storage/storage.ts';
import type { ChallengeType } from '../../src/config/config.ts';
import { systemClock } from '../../src/core/clock.ts';
import { capturedLog } from './captured-log.ts';
import { type FakeAcme, startFakeAcme } from './fake-acme.ts';
import { MemoryLocker, MemoryStorage } from './memory-storage.ts';

export type AcmeRigOptions = Partial<AcmeIssuerOptions>;

export interface AcmeRig {
  readonly ca: FakeAcme;
  readonly issuer: AcmeIssuer;
  readonly challenges: ChallengeTokens;
  readonly storage: Storage;
  /** What the issuer logged. */
  readonly logged: ReturnType<typeof capturedLog>;
  /** Another issuer over the same storage, as after a restart; locks of the former are gone. */
  restart(options?: AcmeRigOptions): AcmeIssuer;
}

export async function acmeRig(t: TestContext, options: AcmeRigOptions = {}): Promise<AcmeRig> {
  const ca = await startFakeAcme();
  const challenges = new ChallengeTokens();
  const storage = options.storage ?? new MemoryStorage();
  const logged = capturedLog();
  const restart = (more: AcmeRigOptions = {}): AcmeIssuer => {
    const issuer = new AcmeIssuer({
      directoryUrl: ca.directoryUrl,
      email: null,
      trust: ca.trustPem,
      solvers: [new HttpSolver(challenges)],
      storage,
      locker: new MemoryLocker(),
      log: logged.log,
      clock: systemClock,
      userAgent: 'perantara/0.0.0-test',
      ...options,
      ...more,
    });
    t.after(() => issuer.close());
    return issuer;
  };
  ca.lookUp = (host, token) => challenges.answer(host, token);
  t.after(() => ca.stop());
  return { ca, issuer: restart(), challenges, storage, logged, restart };
}

/** Notes what it is asked for, and presents nothing: the CA's `lookUp` decides. */
export class NotingSolver implements ChallengeSolver {
  readonly type: ChallengeType;
  readonly presented: string[] = [];
  /** Presented and not taken away again. */
  open = 0;
  refuses: string | null = null;
  fails: Error | null = null;

  constructor(type: ChallengeType) {
    this.type = type;
  }

  unfit(): string | null {
    return this.refuses;
  }

  async present(challenge: Parameters<ChallengeSolver['present']>[0]): Promise<() => Promise<void>> {
    if (this.fails !== null) throw this.fails;
    this.presented.push(JSON.stringify(challenge));
    this.open++;
    return async () => {
      this.open--;
    };
  }
}
