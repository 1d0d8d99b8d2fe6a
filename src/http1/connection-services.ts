// What all connections of a process share, on both sides.
import type { BufferPool } from '../core/buffer-pool.ts';
import type { DeadlineSweep } from '../core/deadlines.ts';
import type { EndOfTurn } from '../core/end-of-turn.ts';

export interface ConnectionServices {
  readonly sweep: DeadlineSweep;
  readonly turn: EndOfTurn;
  readonly buffers: BufferPool;
}
