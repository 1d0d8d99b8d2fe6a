// Asynchronous work on many things, a few at a time: ten thousand files are read without ten thousand open at once.

/** Results in the order of `items`. `limit`: most calls of `work` at once. Rejects with the first error; no call begins then. */
export async function pooledMap<T, R>(items: readonly T[], limit: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const take = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      try {
        results[index] = await work(items[index]!);
      } catch (error) {
        next = items.length;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, take));
  return results;
}
