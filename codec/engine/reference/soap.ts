import type { Tensor } from '../../architecture.js';
import { refreshesBases, type SoapOptimiser } from '../../optimiser.js';
import { checkedPartOf, COUNT, partOf, type SavedState } from '../../saved-state.js';
import { layersOf } from './affine.js';

/** Largest entry of a turned step: without it single entries with a young second moment explode. */
const STEP_LIMIT = 3;

/** Part of the trace added to a factor, so that directions without gradient keep a place in the basis that f32 resolves. */
const RIDGE = 1e-3;

/** A dense matrix, row-major. */
interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
}

function matrix(rows: number, columns: number, entry: (row: number, column: number) => number): Matrix {
  const data = new Float64Array(rows * columns);
  for (let i = 0; i < data.length; i++) data[i] = entry(Math.floor(i / columns), i % columns);
  return { rows, columns, data };
}

function transposed(a: Matrix): Matrix {
  return matrix(a.columns, a.rows, (i, j) => a.data[j * a.columns + i]);
}

function product(a: Matrix, b: Matrix): Matrix {
  return matrix(a.rows, b.columns, (i, j) => {
    let sum = 0;
    for (let k = 0; k < a.columns; k++) sum += a.data[i * a.columns + k] * b.data[k * b.columns + j];
    return sum;
  });
}

function identity(side: number): Matrix {
  return matrix(side, side, (i, j) => (i === j ? 1 : 0));
}

function average(old: Matrix | undefined, value: Matrix, decay: number): Matrix {
  if (old === undefined) return value;
  return matrix(value.rows, value.columns, (i, j) => {
    const at = i * value.columns + j;
    return decay * old.data[at] + (1 - decay) * value.data[at];
  });
}

/** Columns made orthonormal in their order (Gram-Schmidt, twice). */
function orthonormalised(a: Matrix): Matrix {
  const columns = Array.from({ length: a.columns }, (_, j) =>
    Float64Array.from({ length: a.rows }, (_value, i) => a.data[i * a.columns + j]),
  );
  const dot = (x: Float64Array, y: Float64Array): number =>
    x.reduce((sum, value, i) => sum + value * y[i], 0);
  columns.forEach((column, j) => {
    for (let pass = 0; pass < 2; pass++) {
      for (const other of columns.slice(0, j)) {
        const share = dot(column, other);
        column.forEach((value, i) => (column[i] = value - share * other[i]));
      }
      const norm = Math.sqrt(dot(column, column));
      column.forEach((value, i) => (column[i] = value / norm));
    }
  });
  return matrix(a.rows, a.columns, (i, j) => columns[j][i]);
}

/** One step of orthogonal iteration towards the eigenvectors of a factor. */
function refreshed(basis: Matrix, factor: Matrix): Matrix {
  let trace = 0;
  for (let i = 0; i < factor.rows; i++) trace += factor.data[i * factor.columns + i];
  if (trace === 0) return basis;
  const turned = product(factor, basis);
  return orthonormalised(
    matrix(basis.rows, basis.columns, (i, j) => {
      const at = i * basis.columns + j;
      return turned.data[at] + RIDGE * trace * basis.data[at];
    }),
  );
}

/** SOAP on one layer: G [inputs + 1, outputs], the bias as last row. */
class SoapLayer {
  #left: Matrix | undefined;
  #right: Matrix | undefined;
  #leftBasis: Matrix;
  #rightBasis: Matrix;
  /** Moments of the turned gradient. */
  #mean: Matrix;
  #square: Matrix;
  #updates = 0;

  constructor(
    private readonly optimiser: SoapOptimiser,
    rows: number,
    columns: number,
  ) {
    this.#leftBasis = identity(rows);
    this.#rightBasis = identity(columns);
    this.#mean = matrix(rows, columns, () => 0);
    this.#square = this.#mean;
  }

  /** The step for a gradient, to be taken times the rate. */
  step(gradient: Matrix): Matrix {
    const { beta1, beta2, epsilon, factorDecay } = this.optimiser;
    this.#updates++;
    this.#left = average(this.#left, product(gradient, transposed(gradient)), factorDecay);
    this.#right = average(this.#right, product(transposed(gradient), gradient), factorDecay);
    if (refreshesBases(this.#updates, this.optimiser)) {
      // The first moment goes to the new bases by way of the plain one; the second stays, as in the paper.
      const plain = this.#turnBack(this.#mean);
      this.#leftBasis = refreshed(this.#leftBasis, this.#left);
      this.#rightBasis = refreshed(this.#rightBasis, this.#right);
      this.#mean = this.#turn(plain);
    }
    const turned = this.#turn(gradient);
    this.#mean = average(this.#mean, turned, beta1);
    const squares = matrix(turned.rows, turned.columns, (i, j) => turned.data[i * turned.columns + j] ** 2);
    this.#square = average(this.#square, squares, beta2);
    const meanCorrection = 1 - beta1 ** this.#updates;
    const squareCorrection = 1 - beta2 ** this.#updates;
    const step = matrix(turned.rows, turned.columns, (i, j) => {
      const at = i * turned.columns + j;
      const entry = this.#mean.data[at] / (Math.sqrt(this.#square.data[at] / squareCorrection) + epsilon);
      return Math.max(-STEP_LIMIT, Math.min(STEP_LIMIT, entry)) / meanCorrection;
    });
    return this.#turnBack(step);
  }

  /** Everything that steps change, by names that begin so. */
  saveState(name: string): SavedState {
    const state = this.#matrices().map(([part, { data }]) => [`${name}.${part}`, data.slice()] as const);
    return { ...Object.fromEntries(state), [`${name}.updates`]: Float64Array.of(this.#updates) };
  }

  /** @throws LgiError `damaged`, section `checkpoint`, for a state of another layer. */
  loadState(state: SavedState, name: string): void {
    const [left, right, leftBasis, rightBasis, mean, square] = this.#matrices().map(([part, like]) => ({
      ...like,
      data: partOf(state, `${name}.${part}`, like.data).slice(),
    }));
    [this.#updates] = checkedPartOf(state, `${name}.updates`, new Float64Array(1), [COUNT]);
    // Averages begin with the first gradient.
    [this.#left, this.#right] = this.#updates === 0 ? [] : [left, right];
    [this.#leftBasis, this.#rightBasis, this.#mean, this.#square] = [leftBasis, rightBasis, mean, square];
  }

  #matrices(): [name: string, value: Matrix][] {
    const { rows, columns } = this.#mean;
    return [
      ['left', this.#left ?? identity(rows)],
      ['right', this.#right ?? identity(columns)],
      ['leftBasis', this.#leftBasis],
      ['rightBasis', this.#rightBasis],
      ['mean', this.#mean],
      ['square', this.#square],
    ];
  }

  #turn(a: Matrix): Matrix {
    return product(product(transposed(this.#leftBasis), a), this.#rightBasis);
  }

  #turnBack(a: Matrix): Matrix {
    return product(product(this.#leftBasis, a), transposed(this.#rightBasis));
  }
}

/** SOAP (Vyas et al. 2024) on one flat array of layers. */
export class Soap {
  readonly #layers: readonly { offset: number; rows: number; columns: number; soap: SoapLayer }[];

  constructor(optimiser: SoapOptimiser, tensors: readonly Tensor[]) {
    this.#layers = layersOf(tensors).map(({ weight, inputs, outputs }) => ({
      offset: weight,
      rows: inputs + 1,
      columns: outputs,
      soap: new SoapLayer(optimiser, inputs + 1, outputs),
    }));
  }

  /** Everything that steps change, by names that begin so. */
  saveState(name: string): SavedState {
    return Object.assign(
      {},
      ...this.#layers.map(({ soap }, i) => soap.saveState(`${name}.${i}`)),
    ) as SavedState;
  }

  /** @throws LgiError `damaged`, section `checkpoint`, for a state of other layers. */
  loadState(state: SavedState, name: string): void {
    this.#layers.forEach(({ soap }, i) => soap.loadState(state, `${name}.${i}`));
  }

  /** Moves `weights` one step against `gradients`, each by the rate of its place. */
  step(weights: Float64Array, gradients: Float64Array, rateOf: (index: number) => number): void {
    for (const { offset, rows, columns, soap } of this.#layers) {
      // A layer's bias stands behind its weight, so that the two are one matrix.
      const step = soap.step(matrix(rows, columns, (i, j) => gradients[offset + i * columns + j]));
      step.data.forEach((value, i) => (weights[offset + i] -= rateOf(offset + i) * value));
    }
  }
}
