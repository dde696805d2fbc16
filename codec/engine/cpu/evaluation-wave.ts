import { signalCoordinate } from '../../coordinates.js';
import type { SampleType, ValueMapping } from '../../signal.js';
import type { Model } from '../../model.js';
import type { EvaluationTask } from '../engine.js';
import { positionsPerStep, usesLattice, type AxisRun, type Claim } from './evaluation-tasks.js';
import { MemoryLayout } from './memory-layout.js';
import { TILE, latticePointBytes, type Packing } from './plan.js';
import {
  EVALUATION_BYTES,
  EVALUATION_LATTICE,
  EVALUATION_NEXT,
  EVALUATION_POINTS,
  EVALUATION_POINTS_DONE,
  EVALUATION_POINTS_NEXT,
  EVALUATION_POINT_AXIS_COUNTS,
  EVALUATION_POINT_COORDINATES,
  EVALUATION_POINT_COUNT,
  EVALUATION_SAMPLE_OFFSET,
  EVALUATION_SAMPLE_SCALE,
  EVALUATION_SAMPLE_TYPE,
  EVALUATION_TASKS,
  EVALUATION_TASK_COUNT,
  TASK_BYTES,
  TASK_COUNTS,
  TASK_FRACTIONS,
  TASK_LOCAL_COORDINATES,
  TASK_OUTPUT,
  TASK_POINTS,
  TASK_SIGNAL_COORDINATES,
  TASK_WEIGHTS,
} from './records.js';
import { SharedLattice } from './shared-lattice.js';

/** Bytes of memory that one wave may take; more tasks mean more waves, not more memory. */
export const WAVE_BYTES = 64 << 20;

/** What is written: samples, or outputs as the network gives them. */
export type OutputFormat = { readonly sampleType: SampleType; readonly mapping: ValueMapping } | 'outputs';

const SAMPLE_TYPES: readonly (SampleType | 'outputs')[] = ['uint8', 'uint16', 'float32', 'outputs'];

/** Bytes of a value of a format. */
function valueBytes(format: OutputFormat): number {
  if (format === 'outputs' || format.sampleType === 'float32') return 4;
  return format.sampleType === 'uint8' ? 1 : 2;
}

/** What all waves of a call have in common. */
export interface WaveSetup {
  readonly model: Model;
  readonly tasks: readonly EvaluationTask[];
  /** Per task and axis. */
  readonly runs: readonly (readonly AxisRun[])[];
  readonly packing: Packing;
  readonly format: OutputFormat;
  readonly threads: number;
  /** What memory holds before the wave. */
  readonly fixedBytes: number;
}

/** Where a wave stands in memory. */
export interface PlacedWave {
  readonly job: number;
  /** Per thread its memory for blended rows. */
  readonly rows: readonly number[];
  /** Per claim its outputs, row-major `[positions, channels]`. */
  readonly outputs: readonly number[];
  readonly pages: number;
  /** Writes everything that the kernels read; memory must have the pages. */
  write(buffer: ArrayBufferLike): void;
}

/** Claims that are evaluated together. */
export class Wave {
  readonly claims: Claim[] = [];
  readonly #setup: WaveSetup;
  readonly #lattice: SharedLattice | undefined;
  readonly #pointBytes: number;
  /** Without the lattice. */
  #bytes = 0;

  constructor(setup: WaveSetup) {
    this.#setup = setup;
    const { architecture } = setup.model;
    if (usesLattice(setup.model)) this.#lattice = new SharedLattice(architecture.inputs);
    this.#pointBytes = latticePointBytes(architecture);
  }

  /** @returns false where the claim has no room and belongs to another wave; the first one always has. */
  add(claim: Claim): boolean {
    const { tasks, runs, packing } = this.#setup;
    const positions = tasks[claim.task].positions.reduce((sum, axis) => sum + axis.length, 0);
    // Alignment takes up to 64 bytes for each region.
    const bytes =
      this.#bytes +
      TASK_BYTES +
      packing.packedLength * 4 +
      positions * 16 +
      this.#outputBytes(claim) +
      64 * 16;
    const isFirst = this.claims.length === 0;
    if (!isFirst && bytes > WAVE_BYTES) return false;
    const mostPoints = (WAVE_BYTES - bytes) / this.#pointBytes;
    if (this.#lattice?.add(claim, runs[claim.task], mostPoints) === false) return false;
    this.#bytes = bytes;
    this.claims.push(claim);
    return true;
  }

  /** Values of a claim. */
  valueCount(claim: Claim): number {
    const { tasks, model } = this.#setup;
    return (claim.to - claim.from) * positionsPerStep(tasks[claim.task]) * model.architecture.outputs;
  }

  #outputBytes(claim: Claim): number {
    return this.valueCount(claim) * valueBytes(this.#setup.format);
  }

  /** Bytes of the blended rows that a tile of 32 positions can touch (assembly/lattice-rows.ts). */
  #rowBytes(): number {
    const { runs, model } = this.#setup;
    const last = model.architecture.inputs - 1;
    if (this.#lattice === undefined || last === 0) return 0;
    const columns = this.#lattice.axisLength(last);
    let most = 0;
    for (const { task } of this.claims) {
      const { lower } = runs[task][last];
      const rows = Math.min(TILE, Math.floor((TILE - 2) / lower.length) + 2);
      // The wave may have points between those that this task needs.
      most = Math.max(most, rows * Math.min(columns, lower[lower.length - 1] + 2 - lower[0]));
    }
    return most * this.#pointBytes;
  }

  /** Lays the wave out behind what is fixed. */
  place(): PlacedWave {
    const { tasks, runs, packing, threads, fixedBytes, model } = this.#setup;
    const { inputs, latticeStride } = model.architecture;
    const layout = new MemoryLayout();
    layout.take(fixedBytes);
    const job = layout.take(EVALUATION_BYTES);
    const table = layout.take(this.claims.length * TASK_BYTES);
    const rowBytes = this.#rowBytes();
    const rows = Array.from({ length: threads }, () => layout.take(rowBytes));
    const arrays: { readonly at: number; readonly values: Float32Array | Int32Array }[] = [];
    const takeArray = (values: Float32Array | Int32Array): number => {
      const at = layout.take(values.byteLength);
      arrays.push({ at, values });
      return at;
    };
    const axes: number[] = [];
    const pointCoordinates: number[] = [];
    const points = this.#lattice?.neededPoints() ?? new Int32Array(0);
    const placesOfAxis: Map<number, number>[] = [];
    for (let axis = 0; axis < inputs && this.#lattice !== undefined; axis++) {
      const indices = this.#lattice.axisIndices(axis);
      axes.push(indices.length);
      pointCoordinates.push(
        takeArray(
          Float32Array.from(indices, (index) => signalCoordinate(model, axis, index * latticeStride)),
        ),
      );
      placesOfAxis.push(this.#lattice.places(axis));
    }
    const pointsAt = takeArray(points);
    const lattice = layout.take((this.#lattice?.points ?? 0) * this.#pointBytes);
    const runsAt = new Map<AxisRun, number[]>();
    const placeRun = (run: AxisRun, axis: number): number[] => {
      let at = runsAt.get(run);
      if (at === undefined) {
        const places = placesOfAxis[axis];
        at = [
          takeArray(run.local),
          takeArray(run.signal),
          // Indices that only other waves need have no place.
          takeArray(run.lower.map((index) => places?.get(index) ?? 0)),
          takeArray(run.fractions),
        ];
        runsAt.set(run, at);
      }
      return at;
    };
    const weightsAt = new Map<number, number>();
    const placed = this.claims.map((claim) => {
      let weights = weightsAt.get(claim.task);
      if (weights === undefined) {
        weights = layout.take(packing.packedLength * 4);
        weightsAt.set(claim.task, weights);
      }
      const axesAt = runs[claim.task].map(placeRun);
      return { claim, weights, axesAt, output: layout.take(this.#outputBytes(claim)) };
    });

    const write = (buffer: ArrayBufferLike): void => {
      const view = new DataView(buffer);
      const setJob = (field: number, value: number): void => view.setUint32(job + field, value, true);
      setJob(EVALUATION_NEXT, 0);
      setJob(EVALUATION_POINTS_NEXT, 0);
      setJob(EVALUATION_POINTS_DONE, 0);
      setJob(EVALUATION_TASK_COUNT, this.claims.length);
      setJob(EVALUATION_TASKS, table);
      setJob(EVALUATION_LATTICE, lattice);
      setJob(EVALUATION_POINTS, pointsAt);
      setJob(EVALUATION_POINT_COUNT, points.length);
      axes.forEach((count, axis) => setJob(EVALUATION_POINT_AXIS_COUNTS + 4 * axis, count));
      pointCoordinates.forEach((at, axis) => setJob(EVALUATION_POINT_COORDINATES + 4 * axis, at));
      this.#writeFormat(view, job);
      for (const { at, values } of arrays) {
        if (values instanceof Float32Array) new Float32Array(buffer, at, values.length).set(values);
        else new Int32Array(buffer, at, values.length).set(values);
      }
      for (const [task, at] of weightsAt) {
        const packed = new Float32Array(buffer, at, packing.packedLength).fill(0);
        packing.pack(tasks[task].weights, packed);
      }
      const words = new Uint32Array(buffer, table, (placed.length * TASK_BYTES) / 4);
      placed.forEach(({ claim: { task, from, to }, weights, axesAt, output }, number) => {
        const at = (number * TASK_BYTES) / 4;
        words[at + TASK_WEIGHTS / 4] = weights;
        words[at + TASK_OUTPUT / 4] = output;
        for (let axis = 0; axis < axesAt.length; axis++) {
          const [local, signal, lower, fractions] = axesAt[axis];
          const first = axis === 0 ? from * 4 : 0;
          words[at + TASK_COUNTS / 4 + axis] = axis === 0 ? to - from : tasks[task].positions[axis].length;
          words[at + TASK_LOCAL_COORDINATES / 4 + axis] = local + first;
          words[at + TASK_SIGNAL_COORDINATES / 4 + axis] = signal + first;
          words[at + TASK_POINTS / 4 + axis] = lower + first;
          words[at + TASK_FRACTIONS / 4 + axis] = fractions + first;
        }
      });
    };
    const outputs = placed.map(({ output }) => output);
    return { job, rows, outputs, pages: layout.pages('decoding'), write };
  }

  #writeFormat(view: DataView, job: number): void {
    const { format } = this.#setup;
    const name = format === 'outputs' ? format : format.sampleType;
    const { scale, offset } = format === 'outputs' ? { scale: 1, offset: 0 } : format.mapping;
    view.setInt32(job + EVALUATION_SAMPLE_TYPE, SAMPLE_TYPES.indexOf(name), true);
    view.setFloat64(job + EVALUATION_SAMPLE_SCALE, scale, true);
    view.setFloat64(job + EVALUATION_SAMPLE_OFFSET, offset, true);
  }
}

/** Groups claims into waves, in order. */
export function* wavesOf(setup: WaveSetup, claims: readonly Claim[]): Generator<Wave> {
  let wave = new Wave(setup);
  for (const claim of claims) {
    if (wave.add(claim)) continue;
    yield wave;
    wave = new Wave(setup);
    wave.add(claim);
  }
  if (wave.claims.length > 0) yield wave;
}
