import type { Snapshot, TrainingSession } from './engine/engine.js';
import { LgiError } from './errors.js';
import type { PartitionErrors } from './partition-errors.js';
import {
  checkedPartOf,
  COUNT,
  FRACTION,
  partOf,
  POSITIVE,
  stateFault,
  type SavedState,
} from './saved-state.js';

/**
 * Mean squared error of outputs (26 dB) at which weights are worth keeping when rates were lowered as often as may be: training then
 * goes on from them with rates that are lower still. Diverged weights have a hundred times as much.
 */
const USABLE_ERROR = 1e-2;

/** When training counts as diverged, and what is done then. */
export interface DivergenceRule {
  /**
   * An epoch's mean squared error above this many times the best so far is divergence; Infinity: only errors that are no
   * finite numbers are.
   */
  readonly errorFactor: number;
  /** What the rates are multiplied by when the last good weights were taken back. */
  readonly rateFactor: number;
  /** How often that may happen, to the whole network and to each partition, before it is given up. */
  readonly attempts: number;
}

/**
 * Takes weights back that got worse instead of better, and lowers the rates.
 *
 * The errors of an epoch judge the weights that it began with: those become the last good ones when it went well. In phases
 * that move the global weights all weights are judged together; in local phases each partition is on its own.
 */
export class DivergenceGuard {
  readonly #session: TrainingSession;
  readonly #rule: DivergenceRule;
  readonly #errors: PartitionErrors;
  readonly #harmlessError: number;
  /** Per partition what its rates are multiplied by; 0 where it was given up and keeps its good weights. */
  readonly #factors: Float32Array;
  readonly #attempts: Uint32Array;
  readonly #best: Float64Array;
  #wholeFactor = 1;
  #wholeAttempts = 0;
  #wholeBest = Infinity;
  /** Weights at the beginning of this epoch, and the last that are known to be good. */
  #candidate: Snapshot;
  #goodGlobal: Snapshot['global'];
  readonly #goodLocal: Snapshot['local'][number][];

  private constructor(
    session: TrainingSession,
    rule: DivergenceRule,
    errors: PartitionErrors,
    harmlessError: number,
    start: Snapshot,
  ) {
    this.#session = session;
    this.#rule = rule;
    this.#errors = errors;
    this.#harmlessError = harmlessError;
    this.#candidate = start;
    this.#goodGlobal = start.global;
    this.#goodLocal = [...start.local];
    this.#factors = new Float32Array(start.local.length).fill(1);
    this.#attempts = new Uint32Array(start.local.length);
    this.#best = new Float64Array(start.local.length).fill(Infinity);
  }

  /**
   * @param harmlessError mean squared error of outputs up to which nothing counts as diverged: near zero, errors vary by far more than
   * the rule's factor from epoch to epoch, while no sample is any the worse.
   */
  static async create(
    session: TrainingSession,
    rule: DivergenceRule,
    errors: PartitionErrors,
    harmlessError: number,
  ): Promise<DivergenceGuard> {
    return new DivergenceGuard(session, rule, errors, harmlessError, await session.snapshot());
  }

  /** Between two epochs, when the weights that the next one begins with are still to be taken note of. */
  saveState(): SavedState {
    const length = this.#goodLocal.reduce((sum, weights) => sum + weights.length, 0);
    const goodLocal = new Float32Array(length);
    let at = 0;
    for (const weights of this.#goodLocal) {
      goodLocal.set(weights, at);
      at += weights.length;
    }
    return {
      guard: Float64Array.of(this.#wholeFactor, this.#wholeAttempts, this.#wholeBest),
      guardFactors: this.#factors.slice(),
      guardAttempts: this.#attempts.slice(),
      guardBest: this.#best.slice(),
      goodGlobal: Float32Array.from(this.#goodGlobal),
      goodLocal,
    };
  }

  loadState(state: SavedState): void {
    const rules = [FRACTION, { ...COUNT, most: this.#rule.attempts }, POSITIVE];
    const guard = checkedPartOf(state, 'guard', new Float64Array(3), rules);
    [this.#wholeFactor, this.#wholeAttempts, this.#wholeBest] = guard;
    this.#factors.set(checkedPartOf(state, 'guardFactors', this.#factors, [FRACTION]));
    this.#attempts.set(partOf(state, 'guardAttempts', this.#attempts));
    this.#best.set(checkedPartOf(state, 'guardBest', this.#best, [POSITIVE]));
    this.#goodGlobal = partOf(state, 'goodGlobal', new Float32Array(this.#goodGlobal.length)).slice();
    const length = this.#goodLocal.reduce((sum, weights) => sum + weights.length, 0);
    const goodLocal = partOf(state, 'goodLocal', new Float32Array(length));
    if (!goodLocal.every(Number.isFinite) || !this.#goodGlobal.every(Number.isFinite)) {
      throw stateFault('has weights to fall back on that are no finite numbers');
    }
    let at = 0;
    for (const [p, weights] of this.#goodLocal.entries()) {
      this.#goodLocal[p] = goodLocal.slice(at, at + weights.length);
      at += weights.length;
    }
  }

  /** What all rates are multiplied by. */
  get wholeFactor(): number {
    return this.#wholeFactor;
  }

  /** What the local rates of a partition are multiplied by, besides {@link wholeFactor}. */
  factor(partition: number): number {
    return this.#factors[partition];
  }

  /** Takes the error of the very first batch for the best so far: even the first epoch may then turn out bad. */
  noteFirst(error: number): void {
    if (this.#wholeBest === Infinity) this.#wholeBest = finiteOr(error, Infinity);
  }

  async startEpoch(): Promise<void> {
    this.#candidate = await this.#session.snapshot();
  }

  /**
   * Judges an epoch in which all weights moved.
   *
   * @returns the partitions whose weights were taken back.
   * @throws LgiError `diverged` when it has happened too often, and no weights so far are of use.
   */
  async judgeWhole(): Promise<readonly number[]> {
    const error = this.#errors.presentWhole();
    if (this.#isGood(error, this.#wholeBest)) {
      this.#wholeBest = Math.min(this.#wholeBest, error);
      this.#goodGlobal = this.#candidate.global;
      this.#candidate.local.forEach((weights, p) => {
        this.#goodLocal[p] = weights;
        this.#best[p] = Math.min(this.#best[p], finiteOr(this.#errors.present(p), Infinity));
      });
      return [];
    }
    const isLast = this.#wholeAttempts === this.#rule.attempts;
    if (isLast && !(this.#wholeBest <= USABLE_ERROR)) {
      throw new LgiError(
        'diverged',
        `training diverged ${this.#wholeAttempts + 1} times, at last with rates times ${this.#wholeFactor}: ` +
          'give another seed, narrower networks or larger cells',
      );
    }
    if (!isLast) this.#wholeAttempts++;
    this.#wholeFactor *= this.#rule.rateFactor;
    for (const p of this.#goodLocal.keys()) this.#errors.forget(p);
    await this.#session.restore({ global: this.#goodGlobal, local: this.#goodLocal });
    return [...this.#goodLocal.keys()];
  }

  /**
   * Judges an epoch in which partitions were trained on their own.
   *
   * @returns the partitions whose weights were taken back.
   */
  async judgeEach(): Promise<readonly number[]> {
    // What is far below the mean of all may rise as it likes: it does not show, and small errors vary much.
    const mean = finiteOr(this.#errors.lastWhole(), Infinity);
    const bad: number[] = [];
    this.#candidate.local.forEach((weights, p) => {
      if (!this.#errors.tookPart(p)) return;
      const error = this.#errors.present(p);
      if (error <= mean || this.#isGood(error, this.#best[p])) {
        this.#best[p] = Math.min(this.#best[p], error);
        this.#goodLocal[p] = weights;
      } else bad.push(p);
    });
    await this.#takeBack(bad);
    return bad;
  }

  /** Takes back what the last steps, which no epoch judged, made unusable. */
  async finish(): Promise<void> {
    const present = await this.#session.snapshot();
    const isUsable = (weights: Snapshot['global']): boolean => weights.every(Number.isFinite);
    if (!isUsable(present.global)) {
      await this.#session.restore({ global: this.#goodGlobal, local: this.#goodLocal });
      return;
    }
    await this.#takeBack([...present.local.keys()].filter((p) => !isUsable(present.local[p])));
  }

  async #takeBack(partitions: readonly number[]): Promise<void> {
    if (partitions.length === 0) return;
    for (const p of partitions) {
      this.#attempts[p]++;
      this.#factors[p] *= this.#attempts[p] > this.#rule.attempts ? 0 : this.#rule.rateFactor;
      this.#errors.forget(p);
    }
    await this.#session.restore({ global: this.#goodGlobal, local: this.#goodLocal }, partitions);
  }

  #isGood(error: number, best: number): boolean {
    return Number.isFinite(error) && error <= Math.max(this.#rule.errorFactor * best, this.#harmlessError);
  }
}

function finiteOr(value: number, otherwise: number): number {
  return Number.isFinite(value) ? value : otherwise;
}
