// Runs cases one after the other on a thread of its own, so that one that hangs can be ended from outside.
import { parentPort, workerData } from 'node:worker_threads';
import { installAllocationMeter } from './allocations.js';
import type { WorkerMessage, WorkerTask } from './messages.js';
import type { Target } from './targets.js';

const meter = installAllocationMeter();
const { makeCorpus, readVectors } = await import('./corpus.js');
const { Engines, runCase } = await import('./run-case.js');

const { seed, first, end, shared, targetsUrl, mutations } = workerData as WorkerTask;
const { TARGETS } = (await import(targetsUrl)) as { TARGETS: readonly Target[] };
const state = new Int32Array(shared);
const engines = new Engines();

/** Cases after which the counts are sent. */
const REPORTED_CASES = 200;

function send(message: WorkerMessage): void {
  parentPort?.postMessage(message);
}

const corpus = mutations === undefined ? await makeCorpus() : readVectors();
const bench = { corpus, targets: TARGETS, engines, meter, ...(mutations !== undefined && { mutations }) };
let endings: Record<string, number> = {};
let mostAllocated = 0;
let since = first;
for (let caseNumber = first; caseNumber < end && Atomics.load(state, 1) === 0; caseNumber++) {
  Atomics.store(state, 0, caseNumber);
  const { file, targets } = await runCase(bench, seed, caseNumber);
  for (const { target, ending, reason, allocated } of targets) {
    endings[`${target}: ${ending}`] = (endings[`${target}: ${ending}`] ?? 0) + 1;
    mostAllocated = Math.max(mostAllocated, allocated);
    if (ending === 'finding') {
      send({ kind: 'finding', caseNumber, target, reason: reason ?? '', notes: file.notes });
    }
  }
  if (caseNumber + 1 - since >= REPORTED_CASES || caseNumber + 1 === end) {
    send({ kind: 'counts', next: caseNumber + 1, cases: caseNumber + 1 - since, endings, mostAllocated });
    endings = {};
    since = caseNumber + 1;
  }
}
await engines.dispose();
send({ kind: 'done' });
