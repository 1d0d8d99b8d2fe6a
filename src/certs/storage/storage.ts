// The contracts of certificate storage: Storage keeps values, Locker keeps processes apart. Anything that passes
// test/contract/*.contract.ts may stand in for the disk (a database, an object store shared by several machines).
import { PerantaraError } from '../../core/errors.ts';

/**
 * Named text values. Keys are relative paths of one or more segments joined by `/`, such as `accounts/ca/key.pem`; see
 * `checkStorageKey`. Every method rejects with a PerantaraError: `storage_key_invalid` for a bad key,
 * `storage_unwritable` or `storage_unreadable` when the medium fails, with what an operator can do about it.
 */
export interface Storage {
  /**
   * Sets the value. Atomic: readers, and whoever starts after a crash, see the old value or the new one, never a part.
   * Durable: when it resolves, a power cut no longer loses it. Readable by this user only.
   */
  store(key: string, value: string): Promise<void>;
  /** The value, or null when there is none. Bytes that are not UTF-8 are replaced, not refused. */
  load(key: string): Promise<string | null>;
  /** Moves a value, atomically, over whatever `to` held: how a damaged one is set aside. No error when there is none. */
  move(from: string, to: string): Promise<void>;
  /** Removes the value. No error when there is none. */
  delete(key: string): Promise<void>;
  /** The keys under the folder `prefix`, at any depth, sorted. Half-written values never show. */
  list(prefix: string): Promise<readonly string[]>;
  /**
   * Resolves when a value can be stored now; otherwise rejects with `storage_unwritable`. Asked before the CA is, so
   * that no certificate is obtained that cannot be kept.
   */
  assertWritable(): Promise<void>;
  /** Where a person finds the value: a file's path, a URL. */
  locate(key: string): string;
}

/** Mutual exclusion between everything that shares a storage: flights in one process, processes, machines. */
export interface Locker {
  /**
   * Waits until nobody holds the lock `name` (same form as a key), then holds it. A holder that died without releasing
   * delays others by seconds, not more. Rejects with the signal's reason when it aborts first.
   */
  acquire(name: string, signal: AbortSignal): Promise<Lock>;
}

/**
 * A held lock. Exclusion on shared files cannot be perfect: a holder that was suspended (a laptop's lid, a paused
 * virtual machine) is taken for dead and another takes over. So the holder asks before it writes.
 */
export interface Lock {
  /** Aborts when the lock was found to be lost. */
  readonly lost: AbortSignal;
  /** Rejects with `lock_lost` when somebody else took over. To be called right before a write the lock protects. */
  assertHeld(): Promise<void>;
  /** Lets the next one in. Idempotent, never rejects. */
  release(): Promise<void>;
}

const SEGMENT = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,239}$/;

/** Throws `storage_key_invalid` unless every segment is 1–240 of `A-Z a-z 0-9 . _ -` without a leading dot. */
export function checkStorageKey(key: string): void {
  if (key.split('/').every((segment) => SEGMENT.test(segment))) return;
  throw new PerantaraError(`cannot use storage key "${key}": not a relative path of plain segments`, {
    code: 'storage_key_invalid',
    source: 'internal',
  });
}
