// Whether an order that a former life of the process made can be taken up again.
import { isIP } from 'node:net';
import { sameNames } from '../certificate.ts';
import type { AcmeClient } from './client.ts';
import type { Order } from './messages.ts';
import type { OrderJournal, OrderRecord } from './order-journal.ts';
import { AcmeProblem } from './problem.ts';

export interface WantedOrder {
  readonly account: string;
  readonly profile: string | null;
  readonly names: readonly string[];
}

/** Pages of the account's orders that are looked through, and orders that are read, the newest first. */
const MAX_PAGES = 5;
const MAX_LOOKS = 20;

/** null: it is for something else, too old, unknown to the CA or failed. Throws when the CA cannot say now. */
export async function resumableOrder(
  record: OrderRecord,
  wanted: WantedOrder,
  client: AcmeClient,
  journal: OrderJournal,
  now: number,
): Promise<Order | null> {
  const { account, profile, names } = wanted;
  if (record.account !== account || record.profile !== profile || record.expiresAt <= now) return null;
  if (!sameNames(record.names, names)) return null;
  if (record.order === null) return findLost(names, client, journal, now);
  const order = await readOrder(record.order, client);
  return order === null || order.status === 'invalid' || !isFor(order, names) ? null : order;
}

/** An order that the CA made and whose address we never learned: in the account's list, where the CA keeps one. */
async function findLost(
  names: readonly string[],
  client: AcmeClient,
  journal: OrderJournal,
  now: number,
): Promise<Order | null> {
  const urls: string[] = [];
  let page = (await tolerated(client.account()))?.orders ?? null;
  for (let pages = 0; page !== null && pages < MAX_PAGES; pages++) {
    const answer = await tolerated(client.orders(page));
    urls.push(...(answer?.urls ?? []));
    page = answer?.next ?? null;
  }
  const known = await journal.orders();
  const candidates = urls.filter((url) => !known.has(url)).slice(-MAX_LOOKS);
  for (const url of candidates.reverse()) {
    const order = await readOrder(url, client);
    if (order === null || (order.status !== 'pending' && order.status !== 'ready')) continue;
    if (order.identifiers !== undefined && isFor(order, names) && (order.expires ?? now + 1) > now) return order;
  }
  return null;
}

function readOrder(url: string, client: AcmeClient): Promise<Order | null> {
  return tolerated(client.order(url).then(({ value }) => value));
}

/** null when the CA refuses: it does not know the resource, or not for us. */
async function tolerated<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof AcmeProblem && !error.retryable && error.type !== 'accountDoesNotExist') return null;
    throw error;
  }
}

function isFor({ identifiers }: Order, names: readonly string[]): boolean {
  if (identifiers === undefined) return true;
  return sameNames(
    identifiers.map(({ value }) => (isIP(value) === 0 ? value.toLowerCase() : value)),
    names,
  );
}
