// A server of a test whose requests are answered by workers in processes of their own; who has which connection, and their ends.
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { CertificateAutomation } from '../../src/certs/automation.ts';
import type { CreateCrew } from '../../src/server/crew.ts';
import type { WorkerReport } from '../../src/server/worker-report.ts';
import { type Chain, type ChainOptions, startChain } from './chain.ts';
import { connectSecure, type Peer } from './peer.ts';
import { type ProcessCrewRig, processCrew } from './process-crew.ts';
import { retry } from './retry.ts';

const WITHIN = { deadlineMs: 30_000 };

export interface CrewChain extends Chain {
  /** Of the primary, which is this process. */
  readonly certificates: CertificateAutomation;
  reports(): Promise<readonly WorkerReport[]>;
  pids(): Promise<readonly number[]>;
  /** A new connection, and the process that has it. */
  land(options?: Parameters<typeof connectSecure>[1]): Promise<{ readonly client: Peer; readonly pid: number }>;
  /** One on each of two workers. */
  landOnTwo(): Promise<readonly [{ client: Peer; pid: number }, { client: Peer; pid: number }]>;
  /** Resolves with the processes once there are `count` that answer, none of them `gone`. */
  replaced(gone: number, count?: number): Promise<readonly number[]>;
}

export async function startCrewChain(
  t: TestContext,
  options: ChainOptions = {},
  crew: ProcessCrewRig = {},
): Promise<CrewChain> {
  let certificates!: CertificateAutomation;
  const create = processCrew(crew);
  const createCrew: CreateCrew = (config, services) => {
    certificates = services.certificates;
    return create(config, services);
  };
  const chain = await startChain(t, { ...options, createCrew });
  const reports = (): Promise<readonly WorkerReport[]> => chain.server.reports();
  const pids = async (): Promise<readonly number[]> => (await reports()).map(({ pid }) => pid);
  const counts = async (): Promise<ReadonlyMap<number, number>> =>
    new Map((await reports()).map(({ pid, connections }) => [pid, connections]));
  const landed: Peer[] = [];
  /** Once those that have left are forgotten. */
  const quiet = (): Promise<ReadonlyMap<number, number>> =>
    retry(async () => {
      const now = await counts();
      const open = landed.filter(({ closed, ended }) => !closed && ended === 'no').length;
      assert.equal(
        [...now.values()].reduce((sum, count) => sum + count, 0),
        open,
      );
      return now;
    }, WITHIN);
  const land: CrewChain['land'] = async (connectOptions = {}) => {
    const before = await quiet();
    const client = await connectSecure(chain.httpsPort, connectOptions);
    landed.push(client);
    t.after(() => client.destroy());
    const after = await counts();
    const pid = [...after].find(([each, count]) => count > (before.get(each) ?? 0))?.[0];
    assert.ok(pid !== undefined, 'no worker has it');
    return { client, pid };
  };
  return {
    ...chain,
    certificates,
    reports,
    pids,
    land,
    landOnTwo: async () => {
      const first = await land();
      // Connections are shared out by chance: forty on the same side come once in a million million.
      for (let i = 0; i < 40; i++) {
        const next = await land();
        if (next.pid !== first.pid) return [first, next];
        next.client.destroy();
      }
      throw new Error('all connections went to one worker');
    },
    replaced: (gone, count = 2) =>
      retry(async () => {
        const all = await pids();
        assert.ok(all.length === count && !all.includes(gone), all.join());
        return all;
      }, WITHIN),
  };
}
