// What all connections of a process share, on both sides.
import type { BufferPool } from './buffer-pool.ts';
import type { DeadlineSweep } from './deadlines.ts';
import type { EndOfTurn } from './end-of-turn.ts';

export interface ConnectionServices {
  readonly sweep: DeadlineSweep;
  readonly turn: EndOfTurn;
  readonly buffers: BufferPool;
}
