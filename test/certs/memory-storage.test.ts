import { lockerContract } from '../contract/locker.contract.ts';
import { storageContract } from '../contract/storage.contract.ts';
import { MemoryLocker, MemoryStorage } from '../support/memory-storage.ts';

storageContract('MemoryStorage', async () => {
  const storage = new MemoryStorage();
  return { storage, reopen: () => new MemoryStorage(storage.values) };
});

lockerContract('MemoryLocker', async () => {
  const held = new Map<string, Promise<void>>();
  return {
    one: new MemoryLocker(held),
    other: new MemoryLocker(held),
    abandon: async (name) => {
      const lock = await new MemoryLocker(held).acquire(name, new AbortController().signal);
      setImmediate(() => void lock.release());
    },
  };
});
