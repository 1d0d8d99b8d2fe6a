// Token buckets by client address and for all together. Reads no clock; memory is bounded however many addresses there are.
import { isIPv6 } from 'node:net';
import { GenerationMap } from '../../core/generation-map.ts';

export interface BucketLimit {
  /** Tokens of a full bucket, which is how each begins. */
  readonly burst: number;
  /** Tokens that come back in a millisecond, evenly. */
  readonly perMs: number;
}

/** `tokens` that there were at the moment `at`. */
interface Bucket {
  readonly tokens: number;
  readonly at: number;
}

/** Addresses remembered. Whoever is forgotten begins with a full bucket; the common bucket still holds. */
const MAX_ADDRESSES = 10_000;
const HOUR_MS = 3_600_000;
/** A whole token, whatever fractions add up to. */
const ONE = 1 - 1e-6;

export function perHour(count: number): BucketLimit {
  return { burst: count, perMs: count / HOUR_MS };
}

export class AddressBuckets {
  readonly #perAddress: BucketLimit;
  readonly #inAll: BucketLimit | null;
  readonly #buckets = new GenerationMap<string, Bucket>(MAX_ADDRESSES);
  #common: Bucket | undefined;

  /** `inAll`: null for no common bucket. */
  constructor(perAddress: BucketLimit, inAll: BucketLimit | null) {
    this.#perAddress = perAddress;
    this.#inAll = inAll;
  }

  /** Addresses remembered now. */
  get size(): number {
    return this.#buckets.size;
  }

  /** Takes a token of both buckets and returns null; or takes none and says which of them is empty. */
  take(address: string, now: number): 'address' | 'all' | null {
    const key = networkOf(address);
    const own = tokensAt(this.#buckets.get(key), this.#perAddress, now);
    if (own < ONE) return 'address';
    if (this.#inAll !== null) {
      const common = tokensAt(this.#common, this.#inAll, now);
      if (common < ONE) return 'all';
      this.#common = { tokens: Math.max(0, common - 1), at: now };
    }
    this.#buckets.set(key, { tokens: Math.max(0, own - 1), at: now });
    return null;
  }
}

/** A clock that was set back lets nothing flow out of a bucket, and nothing into it. */
function tokensAt(bucket: Bucket | undefined, { burst, perMs }: BucketLimit, now: number): number {
  if (bucket === undefined) return burst;
  return Math.min(burst, bucket.tokens + Math.max(0, now - bucket.at) * perMs);
}

/** What one client certainly has for itself: an IPv4 address, or a /64 of IPv6. `address` in normal form. */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const [left = '', right = ''] = address.split('::');
  const [head, tail] = [left, right].map((groups) => groups.split(':').filter((group) => group !== ''));
  const zeros = Array<string>(8 - head!.length - tail!.length).fill('0');
  return `${[...head!, ...zeros, ...tail!].slice(0, 4).join(':')}::/64`;
}
