// Reads an authority's directory (RFC 8555 section 7.1.1): one GET, no account, no nonce, nothing that counts against a limit.
import { Agent } from 'node:https';
import { z } from 'zod';
import type { AcmeConfig } from '../../config/config.ts';
import type { Clock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import { exchange } from '../acme/exchange.ts';
import type { DirectoryFacts } from './authority.ts';

/** As far as it is looked at; what an authority says about itself is optional. */
const directorySchema = z.looseObject({
  newOrder: z.url(),
  meta: z
    .looseObject({
      caaIdentities: z.array(z.string()).optional().catch(undefined),
      externalAccountRequired: z.boolean().optional().catch(undefined),
      profiles: z.record(z.string(), z.unknown()).optional().catch(undefined),
    })
    .optional(),
});

/** Never rejects. */
export async function visitDirectory(
  config: Pick<AcmeConfig, 'directory' | 'trust' | 'binding'>,
  profile: DirectoryFacts['profile'],
  clock: Clock,
  timeoutMs: number,
): Promise<DirectoryFacts> {
  const url = new URL(config.directory);
  const facts = { name: url.host, hasBinding: config.binding !== null, profile };
  const agent = new Agent(config.trust === null ? {} : { ca: config.trust });
  try {
    const sentAt = clock.now();
    const { status, headers, data } = await exchange(url, {
      method: 'GET',
      body: null,
      userAgent: 'perantara-check',
      agent,
      timeoutMs,
      signal: new AbortController().signal,
    });
    const receivedAt = clock.now();
    if (status !== 200) return { ...facts, answer: { kind: 'failed', reason: `it answers ${status}` } };
    const read = directorySchema.safeParse(data);
    if (!read.success) return { ...facts, answer: { kind: 'failed', reason: 'what it answers is no ACME directory' } };
    const { caaIdentities = null, externalAccountRequired = false, profiles } = read.data.meta ?? {};
    return {
      ...facts,
      answer: {
        kind: 'answered',
        aheadMs: aheadOf(headers.date, sentAt, receivedAt),
        caaIdentities,
        needsBinding: externalAccountRequired,
        profiles: profiles === undefined ? null : Object.keys(profiles),
      },
    };
  } catch (error) {
    return { ...facts, answer: { kind: 'failed', reason: messageOf(error) } };
  } finally {
    agent.destroy();
  }
}

/** A Date field has whole seconds: within the exchange, and the second after it, the clocks agree. */
function aheadOf(date: string | undefined, sentAt: number, receivedAt: number): number | null {
  const at = date === undefined ? Number.NaN : Date.parse(date);
  if (Number.isNaN(at)) return null;
  if (at + 1_000 < sentAt) return at + 1_000 - sentAt;
  return at > receivedAt ? at - receivedAt : 0;
}
