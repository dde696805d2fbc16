import { turn } from './turn.js';
import {
  elementCount,
  globalTensors,
  localTensors,
  outputLayerOffset,
  type Architecture,
  type Tensor,
} from '../../architecture.js';
import { boxSize } from '../../grid.js';
import type { Weights } from '../../model.js';
import type { Optimiser } from '../../optimiser.js';
import { partOf, type SavedState } from '../../saved-state.js';
import { checkStep } from '../check-step.js';
import type { Snapshot, Step, StepReport, TrainingSession, TrainingSetup } from '../engine.js';
import { Adam } from './adam.js';
import type { DoubleWeights, Gradients } from './gradients.js';
import { Soap } from './soap.js';

/** The samples of a batch in a partition of `size` samples. */
function batchOf(
  { orders, batches }: Step,
  batch: number,
  partition: number,
  size: number,
  hasOwnOrder: boolean,
): Uint32Array {
  const order =
    orders?.get(hasOwnOrder ? partition : size) ?? Uint32Array.from({ length: size }, (_, i) => i);
  const slice = (batch + partition) % batches;
  return order.subarray(Math.floor((slice * size) / batches), Math.floor(((slice + 1) * size) / batches));
}

function startOptimiser(optimiser: Optimiser, tensors: readonly Tensor[], length: number): Adam | Soap {
  return optimiser.kind === 'soap' ? new Soap(optimiser, tensors) : new Adam(optimiser, length);
}

/** Where a session's gradients come from. */
export interface GradientSource {
  /**
   * Loss and gradients over a batch.
   *
   * @param batch per partition the numbers of its samples that take part; the same array for the same batch of all samples.
   */
  of(
    fit: TrainingSetup,
    weights: DoubleWeights,
    batch: readonly Uint32Array[],
  ): Gradients | Promise<Gradients>;
  dispose?(): void;
}

/** Training in plain steps: gradients from somewhere, optimisers and weights in f64. */
export class DescentSession implements TrainingSession {
  private current: DoubleWeights;
  private globalOptimiser: Adam | Soap;
  private readonly localOptimisers: (Adam | Soap)[];
  /** The batch of all samples. */
  private whole: Uint32Array[] | undefined;

  constructor(
    private setup: TrainingSetup,
    private readonly source: GradientSource,
  ) {
    const { weights } = setup;
    this.current = {
      global: Float64Array.from(weights.global),
      local: weights.local.map((w) => Float64Array.from(w)),
    };
    this.globalOptimiser = this.startGlobal();
    this.localOptimisers = weights.local.map(() => this.startLocal());
  }

  private startGlobal(): Adam | Soap {
    const { weights, optimiser, model } = this.setup;
    return startOptimiser(optimiser, globalTensors(model.architecture), weights.global.length);
  }

  private startLocal(): Adam | Soap {
    const tensors = localTensors(this.setup.model.architecture);
    return startOptimiser(this.setup.optimiser, tensors, elementCount(tensors));
  }

  async step(step: Step): Promise<StepReport> {
    checkStep(step, this.setup);
    const squaredErrors = new Float64Array(this.setup.boxes.length);
    const counts = new Float64Array(this.setup.boxes.length);
    let own: Pick<StepReport, 'activationGradients' | 'loss'> = {};
    for (const [i, rate] of step.localRates.entries()) {
      await turn();
      const seen = await this.takeBatch(step, step.batch + i, rate);
      seen.squaredErrors.forEach((error, p) => (squaredErrors[p] += error));
      seen.counts.forEach((count, p) => (counts[p] += count));
      own = seen.own;
    }
    return { squaredErrors, counts, ...own };
  }

  private async takeBatch(
    step: Step,
    batch: number,
    localRate: number,
  ): Promise<StepReport & { own: Pick<StepReport, 'activationGradients' | 'loss'> }> {
    const factors = step.rateFactors;
    const { boxes, hasOwnOrders = false } = this.setup;
    const isWhole = step.batches === 1 && step.orders === undefined && factors?.includes(0) !== true;
    const take = (): Uint32Array[] =>
      boxes.map((box, p) =>
        factors?.[p] === 0 ? new Uint32Array() : batchOf(step, batch, p, boxSize(box), hasOwnOrders),
      );
    const chosen = isWhole ? (this.whole ??= take()) : take();
    const found = await this.source.of(this.setup, this.current, chosen);
    const { squaredErrors, counts, weights } = found;
    const frozen = step.globalRate === 0;
    const { learnsActivations = false, outputLoss } = this.setup;
    const own = {
      ...(learnsActivations && !frozen && { activationGradients: found.activations }),
      ...(outputLoss !== undefined && { loss: found.loss }),
    };
    const output = outputLayerOffset(this.setup.model.architecture);
    const samples = chosen.reduce((sum, list) => sum + list.length, 0);
    this.current.local.forEach((local, p) => {
      if (factors?.[p] === 0) return;
      const ownMean = frozen ? samples / Math.max(1, chosen[p].length) : 1;
      const gradient = weights.local[p].map((value) => value * ownMean);
      const rate = localRate * (factors?.[p] ?? 1);
      const outputRate = rate * (step.outputRateFactor ?? 1);
      this.localOptimisers[p].step(local, gradient, (index) => (index < output ? rate : outputRate));
      this.setup.localBounds?.forEach((bound, i) => {
        local[i] = Math.max(-bound, Math.min(bound, local[i]));
      });
    });
    if (!frozen) this.globalOptimiser.step(this.current.global, weights.global, () => step.globalRate);
    return { squaredErrors, counts, own };
  }

  async setActivations(activations: Architecture['activations']): Promise<void> {
    const { model } = this.setup;
    this.setup = { ...this.setup, model: { ...model, architecture: { ...model.architecture, activations } } };
  }

  async snapshot(): Promise<Snapshot> {
    return {
      global: Float64Array.from(this.current.global),
      local: this.current.local.map((w) => Float64Array.from(w)),
    };
  }

  async restore(snapshot: Snapshot, partitions?: readonly number[]): Promise<void> {
    const taken = new Set(partitions ?? this.current.local.keys());
    const { global, local } = this.current;
    this.current = {
      global: partitions === undefined ? Float64Array.from(snapshot.global) : global,
      local: local.map((old, p) => (taken.has(p) ? Float64Array.from(snapshot.local[p]) : old)),
    };
    for (const p of taken) this.localOptimisers[p] = this.startLocal();
    if (partitions === undefined) this.globalOptimiser = this.startGlobal();
  }

  async weights(): Promise<Weights> {
    return {
      global: Float32Array.from(this.current.global),
      local: this.current.local.map((w) => Float32Array.from(w)),
    };
  }

  async saveState(): Promise<SavedState> {
    const { global, local } = this.current;
    const parts = local.map((weights, p) => ({
      [`local.${p}`]: weights.slice(),
      ...this.localOptimisers[p].saveState(`optimiser.${p}`),
    }));
    return Object.assign(
      { global: global.slice(), ...this.globalOptimiser.saveState('optimiser.global') },
      ...parts,
    ) as SavedState;
  }

  async loadState(state: SavedState): Promise<void> {
    const { global, local } = this.current;
    this.current = {
      global: partOf(state, 'global', global).slice(),
      local: local.map((weights, p) => partOf(state, `local.${p}`, weights).slice()),
    };
    this.globalOptimiser.loadState(state, 'optimiser.global');
    this.localOptimisers.forEach((optimiser, p) => optimiser.loadState(state, `optimiser.${p}`));
  }

  async dispose(): Promise<void> {
    this.source.dispose?.();
  }
}
