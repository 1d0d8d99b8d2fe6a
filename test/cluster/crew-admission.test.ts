// What a primary knows of the connections of all workers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CrewAdmission } from '../../src/cluster/crew-admission.ts';
import type { WorkerChild } from '../../src/cluster/worker-child.ts';

test('a connection that a worker asks about after a reload that counts no more is not counted twice later', () => {
  const worker = {} as WorkerChild;
  const limits = { connections: 2, connectionsPerAddress: Number.POSITIVE_INFINITY };
  const admission = new CrewAdmission(limits, true);
  admission.adopt(limits, false);
  assert.ok(admission.admit(worker, '192.0.2.1')); // it has not heard yet, and will not tell when that one leaves
  admission.adopt(limits, true);
  admission.occupy(worker, new Map([['192.0.2.1', 1]]));
  assert.ok(admission.admit(worker, '192.0.2.2'));
  assert.ok(!admission.admit(worker, '192.0.2.3'));
});
