// What a process holds once everything that can be collected has been: memory and handles.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Handles, liveHandles } from '../support/handles.ts';

export interface Footprint {
  readonly heapBytes: number;
  /** Buffers and other memory outside V8's heap that objects in it own. */
  readonly externalBytes: number;
  readonly residentBytes: number;
  readonly handles: Handles;
}

export async function footprint(): Promise<Footprint> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let i = 0; i < 12; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20)); // finalizers run between turns of the event loop
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heapBytes: heapUsed, externalBytes: external, residentBytes: rss, handles: liveHandles() };
}
