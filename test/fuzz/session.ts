import { Worker } from 'node:worker_threads';
import { NOT_BEGUN, type FoundCase, type WorkerMessage, type WorkerTask } from './messages.js';

/** Default of {@link FuzzOptions.hangMs}. */
const HANG_MS = 20_000;

/** What a worker may take to load its modules and make its corpus; half a second where nothing else runs. */
const START_MS = 60_000;

/** How often the case at work is looked at. */
const WATCH_MS = 250;

/** Heap of JavaScript objects that a worker may take: files have a few KB, and engines and corpus a few MB. */
const HEAP_MIB = 192;

export interface FuzzOptions {
  readonly seed: number;
  /** First case; default 0. */
  readonly first?: number;
  /** How many cases; absent, until the time is up. */
  readonly cases?: number;
  /** Seconds until no further case is begun. */
  readonly seconds?: number;
  /** One byte changed of every conformance vector, so often; {@link FuzzOptions.cases} is then at most that of all. */
  readonly mutations?: number;
  /** A module that exports other `TARGETS` than those of `targets.ts`. */
  readonly targetsUrl?: string;
  /** A case that takes longer hangs; default 20,000 ms: the slowest take less than one second where little else runs. */
  readonly hangMs?: number;
  /** Called as soon as something is found. */
  readonly onFinding?: (finding: FoundCase) => void;
  readonly onProgress?: (report: FuzzReport) => void;
}

export interface FuzzReport {
  cases: number;
  seconds: number;
  /** Targets run, by `target: ending`. */
  readonly endings: Record<string, number>;
  readonly findings: FoundCase[];
  /** Most bytes that one target has asked for. */
  mostAllocated: number;
}

/** Runs cases on a worker; one that hangs or runs out of memory is a finding, and the next is begun on a new worker. */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const { seed, cases, seconds = Infinity } = options;
  const report: FuzzReport = { cases: 0, seconds: 0, endings: {}, findings: [], mostAllocated: 0 };
  const started = performance.now();
  const elapsed = (): number => (performance.now() - started) / 1000;
  let next = options.first ?? 0;
  const end = cases === undefined ? Infinity : next + cases;
  while (next < end && elapsed() < seconds) {
    next = await runWorker({ seed, first: next, end, report, options, isOver: () => elapsed() >= seconds });
    report.seconds = elapsed();
  }
  return report;
}

interface Run {
  readonly seed: number;
  readonly first: number;
  readonly end: number;
  readonly report: FuzzReport;
  readonly options: FuzzOptions;
  readonly isOver: () => boolean;
}

/** @returns the case to go on with. */
function runWorker({ seed, first, end, report, options, isOver }: Run): Promise<number> {
  const shared = new SharedArrayBuffer(8);
  const state = new Int32Array(shared);
  Atomics.store(state, 0, NOT_BEGUN);
  const { targetsUrl = new URL('./targets.js', import.meta.url).href, hangMs = HANG_MS } = options;
  const { mutations } = options;
  const task: WorkerTask = {
    seed,
    first,
    end,
    shared,
    targetsUrl,
    ...(mutations !== undefined && { mutations }),
  };
  const worker = new Worker(new URL('./worker.js', import.meta.url), {
    workerData: task,
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
  });
  let counted = first;
  let seen = NOT_BEGUN;
  let seenAt = performance.now();
  const started = performance.now() - report.seconds * 1000;

  return new Promise((resolve) => {
    const found = (finding: FoundCase): void => {
      report.findings.push(finding);
      options.onFinding?.(finding);
    };
    const finish = (next: number): void => {
      clearInterval(watch);
      // What was done and not yet told of.
      report.cases += Math.max(0, next - counted);
      void worker.terminate().then(() => resolve(next));
    };
    const giveUp = (reason: string): void => {
      const caseNumber = Math.max(first, Atomics.load(state, 0));
      found({ caseNumber, target: 'any', reason, notes: [] });
      finish(caseNumber + 1);
    };
    const watch = setInterval(() => {
      const now = Atomics.load(state, 0);
      if (now !== seen) [seen, seenAt] = [now, performance.now()];
      else if (performance.now() - seenAt > (now === NOT_BEGUN ? START_MS : hangMs))
        giveUp(now === NOT_BEGUN ? `no begin within ${START_MS} ms` : `no end within ${hangMs} ms`);
      if (isOver()) Atomics.store(state, 1, 1);
    }, WATCH_MS);
    worker.on('message', (message: WorkerMessage) => {
      if (message.kind === 'finding') return found(message);
      if (message.kind === 'done')
        return finish(Math.max(counted, Math.min(end, Atomics.load(state, 0) + 1)));
      counted = message.next;
      report.cases += message.cases;
      report.mostAllocated = Math.max(report.mostAllocated, message.mostAllocated);
      for (const [name, count] of Object.entries(message.endings)) {
        report.endings[name] = (report.endings[name] ?? 0) + count;
      }
      report.seconds = (performance.now() - started) / 1000;
      options.onProgress?.(report);
    });
    worker.on('error', (error) => giveUp(`the worker ended: ${error.message}`));
  });
}
