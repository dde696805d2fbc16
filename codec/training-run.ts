import type { Engine, Step, TrainingSession } from './engine/engine.js';
import { DivergenceGuard } from './divergence.js';
import { LgiError } from './errors.js';
import { boxSize } from './grid.js';
import { harmlessError, psnrOfError } from './objective.js';
import { PartitionErrors } from './partition-errors.js';
import { PsnrTarget } from './psnr-target.js';
import { permutation } from './random.js';
import { phaseIterations, type Phase } from './recipe.js';
import type { SampleOrders } from './sample-orders.js';
import { checkedPartOf, COUNT, FRACTION, partOf, POSITIVE, type SavedState } from './saved-state.js';
import { TargetProgress } from './target-progress.js';
import type { TrainingOptions, TrainingResult } from './train.js';
import { wholeError } from './whole-error.js';

/**
 * Samples of a partition that a step sees at least, where it has them: a tile of the cpu engine, so that no lane idles,
 * and few enough gradients to average.
 */
const LEAST_BATCH_SAMPLES = 32;

/**
 * Seconds that a call of the engine may take where partitions train on their own: enough that threads seldom wait for each
 * other, little enough for progress, budgets and aborts.
 */
const CALL_SECONDS = 0.2;

/**
 * Epochs of local phases that no partition rests from. An error then says little of what another epoch would gain, and smooth
 * partitions, whose errors are small and show most, would be left with steps between them: stopped at 29.4 dB, camera.png
 * had a seam of 2.7 without this and 2.1 with it, at the same time; after the whole recipe both are as good.
 */
const EPOCHS_BEFORE_REST = 4;

/**
 * Steps that a call takes: no more than the epoch and the phase have, as many as {@link CALL_SECONDS} and the time that is
 * left allow, one where nothing is known of the speed.
 */
function callSteps(ofEpoch: number, ofPhase: number, stepSeconds: number, secondsLeft: number): number {
  if (stepSeconds === 0) return 1;
  const inTime = Math.floor(Math.min(CALL_SECONDS, secondsLeft) / stepSeconds);
  return Math.max(1, Math.min(ofEpoch, ofPhase, inTime));
}

/**
 * Steps from one judgement of divergence to the next: epochs, as many as bring them to the recipe's steps. Few samples make short epochs,
 * whose errors vary so much from one to the next that they say nothing of divergence: judged one by one, 134 of 216 pictures of 1x1 to
 * 33x33 were given up, and camera.png in cells of 8x8 had 51.5 and 78.6 dB by two seeds instead of 81.9 and 79.9.
 */
function judgedStepsOf(phase: Phase, epochSteps: number): number {
  return epochSteps * Math.max(1, Math.floor((phase.batches * phase.turns) / epochSteps));
}

/** Epochs number random streams. */
const EPOCHS = { ...COUNT, most: 2 ** 32 - 2 };

const FINITE = { ...POSITIVE, most: Number.MAX_VALUE };

/** Where a run is: the phase, and the steps of it that are done. */
interface Place {
  readonly phase: number;
  readonly done: number;
}

/** One run of a recipe over a session. */
export class TrainingRun {
  readonly #engine: Engine;
  readonly #session: TrainingSession;
  readonly #options: TrainingOptions;
  readonly #planned: readonly number[];
  readonly #orders: SampleOrders;
  readonly #mostBatches: number;
  #startMs = performance.now();
  readonly #errors: PartitionErrors;
  /** Of what is judged at once, which may be several epochs. */
  readonly #judged: PartitionErrors;
  readonly #guard: DivergenceGuard;
  readonly #target: PsnrTarget | undefined;
  readonly #targetProgress: TargetProgress | undefined;
  /** u8 per partition: 1 where it rests in this epoch. */
  readonly #resting: Uint8Array;
  /** Epochs of local phases that each partition took part in. */
  readonly #epochsTaken: Uint32Array;
  #iteration = 0;
  #epoch = 0;
  #stoppedBy: TrainingResult['stoppedBy'] = 'iterations';

  static async create(
    engine: Engine,
    session: TrainingSession,
    options: TrainingOptions,
    orders: SampleOrders,
  ): Promise<TrainingRun> {
    const errors = new PartitionErrors(options.objective.boxes.length);
    const harmless = harmlessError(options.objective.format);
    const judged = new PartitionErrors(options.objective.boxes.length);
    const guard = await DivergenceGuard.create(session, options.recipe.divergence, judged, harmless);
    return new TrainingRun(engine, session, options, orders, errors, judged, guard);
  }

  private constructor(
    engine: Engine,
    session: TrainingSession,
    options: TrainingOptions,
    orders: SampleOrders,
    errors: PartitionErrors,
    judged: PartitionErrors,
    guard: DivergenceGuard,
  ) {
    const { objective } = options;
    const { boxes } = objective;
    const psnr = options.budget?.psnr;
    this.#engine = engine;
    this.#session = session;
    this.#options = options;
    this.#orders = orders;
    this.#errors = errors;
    this.#judged = judged;
    this.#guard = guard;
    if (psnr !== undefined) {
      this.#target = new PsnrTarget(psnr, objective, errors);
      this.#targetProgress = new TargetProgress(this.#target);
    }
    this.#resting = new Uint8Array(boxes.length);
    this.#epochsTaken = new Uint32Array(boxes.length);
    this.#planned = phaseIterations(options.recipe.phases, options.budget?.iterations);
    const largest = boxes.reduce((most, box) => Math.max(most, boxSize(box)), 0);
    this.#mostBatches = Math.max(1, Math.floor(largest / LEAST_BATCH_SAMPLES));
  }

  async run(): Promise<TrainingResult> {
    const { recipe, resume } = this.#options;
    let timeBefore = 0;
    const from = resume === undefined ? { phase: 0, done: 0 } : await this.#load(resume);
    for (const [index, phase] of recipe.phases.entries()) {
      if (index >= from.phase) {
        const done = index === from.phase ? from.done : 0;
        const end = await this.#runPhase(phase, this.#planned[index], timeBefore, { phase: index, done });
        if (end !== 'iterations') this.#stoppedBy = end;
        if (end === 'psnr') break;
      }
      timeBefore += phase.timeShare;
    }
    await this.#guard.finish();
    return {
      weights: await this.#session.weights(),
      iterations: this.#iteration,
      seconds: this.#seconds(),
      stoppedBy: this.#stoppedBy,
    };
  }

  #seconds(): number {
    return (performance.now() - this.#startMs) / 1000;
  }

  /** Between two epochs. */
  async #save({ phase, done }: Place): Promise<void> {
    const { checkpoints } = this.#options;
    if (checkpoints?.isDue() !== true) return;
    const session = await this.#session.saveState?.();
    if (session === undefined) {
      throw new LgiError(
        'unavailable',
        `the ${this.#engine.name} engine keeps no checkpoints; leave them out`,
      );
    }
    const endedByTime = this.#stoppedBy === 'seconds' ? 1 : 0;
    await checkpoints.save({
      ...session,
      ...this.#errors.saveState(),
      ...this.#judged.saveState('judged'),
      ...this.#guard.saveState(),
      ...this.#target?.saveState(),
      epochsTaken: this.#epochsTaken.slice(),
      run: Float64Array.of(phase, done, this.#iteration, this.#epoch, this.#seconds(), endedByTime),
    });
  }

  async #load(state: SavedState): Promise<Place> {
    if (this.#session.loadState === undefined) {
      throw new LgiError(
        'unavailable',
        `the ${this.#engine.name} engine goes on from no checkpoints; begin anew`,
      );
    }
    const lastPhase = { ...COUNT, most: this.#options.recipe.phases.length - 1 };
    const rules = [lastPhase, COUNT, COUNT, EPOCHS, FINITE, { ...FRACTION, isWhole: true }];
    const run = checkedPartOf(state, 'run', new Float64Array(6), rules);
    await this.#session.loadState(state);
    this.#errors.loadState(state);
    this.#judged.loadState(state, 'judged');
    this.#guard.loadState(state);
    this.#target?.loadState(state);
    this.#epochsTaken.set(partOf(state, 'epochsTaken', this.#epochsTaken));
    const [phase, done, iteration, epoch, seconds, endedByTime] = run;
    this.#iteration = iteration;
    this.#epoch = epoch;
    this.#startMs = performance.now() - 1000 * seconds;
    if (endedByTime === 1) this.#stoppedBy = 'seconds';
    return { phase, done };
  }

  /** @returns what ended the phase */
  async #runPhase(
    phase: Phase,
    planned: number,
    timeBefore: number,
    from: Place,
  ): Promise<TrainingResult['stoppedBy']> {
    const { budget, signal, objective } = this.#options;
    // A budget of time alone lets the phase run until its share is over; with both, whichever ends first.
    const limit = budget?.seconds !== undefined && budget.iterations === undefined ? Infinity : planned;
    const startSeconds = (budget?.seconds ?? 0) * timeBefore;
    const shareSeconds = (budget?.seconds ?? Infinity) * phase.timeShare;
    const ofTime = (later = 0): number => (this.#seconds() + later - startSeconds) / shareSeconds;
    const batches = Math.min(phase.batches, this.#mostBatches);
    const turns = Math.min(phase.turns, objective.boxes.length);
    const epochSteps = batches * turns;
    const judgedSteps = judgedStepsOf(phase, epochSteps);
    let orders: Step['orders'];
    let ranks: Uint32Array | undefined;
    const isTogether = phase.trains === 'all' || turns > 1;
    let stepSeconds = 0;
    for (let { done } = from; done < limit;) {
      if (ofTime() >= 1) {
        await this.#judge(phase);
        this.#endEpoch(phase);
        return 'seconds';
      }
      signal?.throwIfAborted();
      if (done % epochSteps === 0) {
        const isJudged = done % judgedSteps === 0;
        // Where it was just loaded from, it is kept already.
        if (isJudged && done > from.done) await this.#save({ phase: from.phase, done });
        this.#epoch++;
        if (isJudged) await this.#guard.startEpoch();
        this.#chooseResting(phase);
        if (batches > 1) orders = this.#orders.ofEpoch(this.#epoch);
        if (turns > 1) ranks = this.#ranks();
      }
      const steps = isTogether
        ? 1
        : callSteps(
            epochSteps - (done % epochSteps),
            limit - done,
            stepSeconds,
            (1 - ofTime()) * shareSeconds,
          );
      const rate = (step: number): number => {
        const part = Math.max((done + step) / limit, ofTime(step * stepSeconds));
        const ofPhase = phase.decay === 'linear' ? Math.max(0, 1 - part) : 1;
        const ofTarget = phase.trains === 'local' ? (this.#target?.rateFactor ?? 1) : 1;
        return this.#guard.wholeFactor * Math.min(ofPhase, ofTarget);
      };
      const before = this.#seconds();
      const report = await this.#session.step({
        ...(orders && { orders }),
        batches,
        batch: Math.floor(done / turns) % batches,
        localRates: Array.from({ length: steps }, (_, step) => phase.localRate * rate(step)),
        outputRateFactor: phase.outputRateFactor,
        globalRate: phase.trains === 'all' ? phase.globalRate * rate(0) : 0,
        rateFactors: this.#rateFactors(ranks, done % turns, turns),
      });
      stepSeconds = (this.#seconds() - before) / steps;
      this.#iteration += steps;
      done += steps;
      this.#errors.add(report, orders && this.#orders.errorScales);
      this.#judged.add(report, orders && this.#orders.errorScales);
      if (this.#epoch === 1) this.#guard.noteFirst(this.#errors.presentWhole());
      this.#report(
        timeBefore + phase.timeShare * Math.min(1, Math.max(done / limit, ofTime())),
        // The epoch just done is not yet over.
        phase.trains === 'local' ? (((done - 1) % epochSteps) + 1) / epochSteps : undefined,
        limit / epochSteps,
      );
      if (done % epochSteps !== 0 && done < limit) continue;
      if (done % judgedSteps === 0 || done >= limit) await this.#judge(phase);
      this.#endEpoch(phase);
      if (await this.#reachesTarget()) {
        this.#report(1);
        return 'psnr';
      }
    }
    return 'iterations';
  }

  /** Takes back what diverged since the last judgement. */
  async #judge(phase: Phase): Promise<void> {
    // Time may end between two epochs.
    if (this.#judged.isEmpty) return;
    const takenBack = await (phase.trains === 'all' ? this.#guard.judgeWhole() : this.#guard.judgeEach());
    for (const partition of takenBack) this.#errors.forget(partition);
    this.#judged.endEpoch();
  }

  #endEpoch(phase: Phase): void {
    if (this.#errors.isEmpty) return;
    this.#errors.endEpoch();
    if (phase.trains === 'all') this.#target?.endJointEpoch();
    else this.#target?.endLocalEpoch();
  }

  /** Estimates are cheap and may be wrong; what they say of the target is measured before it counts. */
  async #reachesTarget(): Promise<boolean> {
    if (this.#target?.seemsReached !== true) return false;
    const { model, objective, signal } = this.#options;
    return this.#target.judge(
      await wholeError(this.#engine, model, await this.#session.weights(), objective, signal),
    );
  }

  /**
   * Effort goes where it lowers the error of the whole most: were an error inversely proportional to the epochs spent on it,
   * the next epoch would gain this error divided by them.
   */
  #chooseResting({ trains, restsBelow }: Phase): void {
    if (trains === 'all') return;
    const gains = Float64Array.from(this.#epochsTaken, (epochs, p) => this.#errors.last(p) / (epochs + 1));
    const mean = gains.reduce((sum, gain) => sum + gain, 0) / gains.length;
    gains.forEach((gain, p) => {
      const rests = gain < restsBelow * mean && this.#epochsTaken[p] >= EPOCHS_BEFORE_REST;
      this.#resting[p] = rests ? 1 : 0;
      if (!rests) this.#epochsTaken[p]++;
    });
  }

  /** Factors of the partitions whose turn it is. */
  #rateFactors(ranks: Uint32Array | undefined, turn: number, turns: number): Float32Array {
    return Float32Array.from(this.#resting, (rests, p) => {
      const isTurn = ranks === undefined || ranks[p] % turns === turn;
      return isTurn && rests === 0 ? this.#guard.factor(p) : 0;
    });
  }

  /** A random order of the partitions, by which they take turns. */
  #ranks(): Uint32Array {
    // 0 is no size of a partition, so that this stream is none of the orders'.
    return permutation(this.#options.objective.boxes.length, this.#options.seed, this.#epoch, 0);
  }

  /**
   * Tells where training stands.
   *
   * @param planned part of the plan that is done, whatever the target.
   * @param epochPart part of the present epoch of a local phase, undefined in joint ones.
   * @param mostEpochs epochs that the plan gives the phase.
   */
  #report(planned: number, epochPart?: number, mostEpochs = Infinity): void {
    const { onProgress, budget, objective } = this.#options;
    if (onProgress === undefined) return;
    const seconds = this.#seconds();
    const timeAlone = budget?.seconds !== undefined && budget.iterations === undefined;
    const ofPlan = {
      fraction: Math.min(1, planned),
      secondsLeft: planned > 0 ? Math.max(0, (seconds * (1 - planned)) / planned) : Infinity,
    };
    const mostSeconds = (budget?.seconds ?? Infinity) - seconds;
    const way = planned >= 1 ? ofPlan : this.#targetProgress?.at(seconds, epochPart, mostEpochs, mostSeconds);
    onProgress({
      iteration: this.#iteration,
      iterations: timeAlone ? Infinity : this.#planned.reduce((sum, steps) => sum + steps, 0),
      psnr: psnrOfError(this.#errors.whole(), objective),
      iterationsPerSecond: this.#iteration / seconds,
      seconds,
      ...(way ?? ofPlan),
    });
  }
}
