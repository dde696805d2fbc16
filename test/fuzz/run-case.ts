import { createCpuEngine } from '../../codec/engine/cpu/cpu-engine.js';
import type { Engine } from '../../codec/engine/engine.js';
import { ReferenceEngine } from '../../codec/engine/reference/reference-engine.js';
import type { AllocationMeter } from './allocations.js';
import { Choices } from './choices.js';
import type { Original } from './corpus.js';
import { Finding, judge, type Ending } from './judge.js';
import { mutatedFile, type HostileFile } from './mutate.js';
import type { Target } from './targets.js';
import { mutatedVector, VECTOR_TARGETS } from './vector-mutations.js';

/** Cases that decode with the cpu engine: a part, since starting its evaluator takes longer than all else of a case. */
const CPU_SHARE = 0.1;

/** Targets of one case. */
const TARGETS_PER_CASE = 4;

/** Bytes that any call may ask for, whatever the file: buffers of fixed size, the kernels' memory, results. */
const FIXED_BYTES = 4 << 20;

/**
 * Bytes that a byte of the file may cause: DEFLATE makes 1,032 of one, which become elements, weights and the engine's
 * own copies.
 */
const BYTES_PER_BYTE = 1032 * 16;

/** How a target of a case ended. */
export interface TargetOutcome {
  readonly target: string;
  readonly ending: Ending | 'finding';
  readonly reason?: string;
  /** Bytes that it asked for, all together. */
  readonly allocated: number;
}

export interface CaseOutcome {
  readonly file: HostileFile;
  readonly targets: readonly TargetOutcome[];
}

/** Engines, which outlive cases. */
export class Engines {
  readonly reference = new ReferenceEngine();
  #cpu: Engine | undefined;

  /** On one thread, made when first wanted. */
  get cpu(): Engine {
    this.#cpu ??= createCpuEngine(1);
    return this.#cpu;
  }

  /** A thread that failed takes no more work. */
  async dispose(): Promise<void> {
    const cpu = this.#cpu;
    this.#cpu = undefined;
    await cpu?.dispose();
  }
}

/**
 * The case's file, the same whatever targets there are, and the choices that are left.
 *
 * @param mutations of every file of the corpus, one byte each; absent, files are chosen and changed in any way.
 */
export async function fileOf(
  corpus: readonly Original[],
  seed: number,
  caseNumber: number,
  mutations?: number,
): Promise<{ file: HostileFile; choices: Choices }> {
  const choices = new Choices(seed, caseNumber);
  const file =
    mutations === undefined
      ? await mutatedFile(corpus, choices)
      : mutatedVector(corpus, choices, caseNumber, mutations);
  return { file, choices };
}

/** What does not change from case to case. */
export interface Bench {
  readonly corpus: readonly Original[];
  readonly targets: readonly Target[];
  readonly engines: Engines;
  readonly meter: AllocationMeter;
  /** As for {@link fileOf}. */
  readonly mutations?: number;
}

/** A few of all targets, or of a vector whose byte is another one all that a reader does. */
function chosenTargets(targets: readonly Target[], choices: Choices, mutations?: number): Set<Target> {
  return new Set(
    mutations === undefined
      ? Array.from({ length: TARGETS_PER_CASE }, () => choices.pick(targets))
      : targets.filter(({ name }) => VECTOR_TARGETS.includes(name)),
  );
}

export async function runCase(
  { corpus, targets, engines, meter, mutations }: Bench,
  seed: number,
  caseNumber: number,
): Promise<CaseOutcome> {
  const { file, choices } = await fileOf(corpus, seed, caseNumber, mutations);
  const onCpu = choices.chance(CPU_SHARE);
  const chosen = chosenTargets(targets, choices, mutations);
  const engine = onCpu ? engines.cpu : engines.reference;
  const outcomes: TargetOutcome[] = [];
  for (const { name, run } of chosen) {
    const { bytes, valid } = file;
    meter.reset();
    let ending: Ending | 'finding' = 'result';
    let reason: string | undefined;
    try {
      try {
        await run({ bytes, valid, choices, engine });
      } catch (error) {
        ending = judge(error, valid);
      }
      const allowed = FIXED_BYTES + BYTES_PER_BYTE * bytes.length;
      if (meter.total > allowed) {
        throw new Finding(
          `${meter.total} bytes asked for, ${meter.largest} at once; a file of ${bytes.length} justifies ${allowed}`,
        );
      }
    } catch (error) {
      ending = 'finding';
      reason = String((error as Error).message);
      if (onCpu) await engines.dispose();
    }
    outcomes.push({ target: name, ending, allocated: meter.total, ...(reason !== undefined && { reason }) });
  }
  return { file, targets: outcomes };
}
