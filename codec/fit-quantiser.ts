import { globalTensors, localTensors, type Tensor } from './architecture.js';
import type { Engine } from './engine/engine.js';
import { boxSize, sampleCentres } from './grid.js';
import type { Model, Weights } from './model.js';
import type { Objective } from './objective.js';
import { fitQuantiser, fitStep, largestMagnitude, type WeightPrecision } from './quantise.js';
import { type Quantiser, type TensorQuantiser } from './quantiser.js';
import type { SampleFormat } from './signal.js';
import { wholeError } from './whole-error.js';

/** Outputs that sensitivities are measured on: enough to know them to a few per cent, and a small part of a step's time each. */
const MEASURED_OUTPUTS = 1 << 18;

/** First try of a step that is measured by, against a tensor's largest weight. */
const FIRST_STEP = 2 ** -9;

/** Changes of outputs, against training's error, that tell how sensitive they are: beyond, sines bend; below, f32 rounds. */
const [LEAST_CHANGE, MOST_CHANGE] = [1e-4, 0.1];

/** Tries for a step between those; after them the last one has to do. */
const MOST_TRIES = 6;

/** What a quantiser is fitted to. */
export interface QuantiserInput {
  readonly model: Model;
  /** Weights of the objective's partitions, in its order. */
  readonly weights: Weights;
  /** What has to be held besides them. */
  readonly reserved?: readonly Float32Array[];
  readonly objective: Omit<Objective, 'peak'>;
}

/**
 * The quantiser of trained weights, of a precision.
 *
 * @throws LgiError `diverged` where a weight is not finite.
 * @throws the signal's reason on abort.
 */
export async function quantiserOf(
  engine: Engine,
  precision: WeightPrecision,
  input: QuantiserInput,
  signal?: AbortSignal,
): Promise<Quantiser> {
  const { format, bits, roundingShare } = precision;
  const { model, weights, reserved = [] } = input;
  if (roundingShare !== undefined) return measuredQuantiser(engine, input, roundingShare, signal);
  const fitted = { global: weights.global, local: [...weights.local, ...reserved] };
  return fitQuantiser(format, bits, model.architecture, fitted);
}

/**
 * A quantiser by how far rounding moves the outputs, tensor by tensor: each stored number costs the same error, which is least for as
 * many bits. Against bits by the kind of tensor ({@link tensorBits}) it took, at equal PSNR, 17 % fewer bytes of a sound at 45 dB, and 20 %
 * and 40 % for 0.1 and 0.2 dB of a picture and a video.
 *
 * What rounding may add: of a sound, bytes give most with shares of 0.06 to 0.5. 80,000 weights, rounded so that they lose 6.9 dB, are no
 * better than 50,000 that lose 0.3. (Rounding in training as noise, or weights drawn towards 0 for the coder's sake, came to nothing.)
 */
async function measuredQuantiser(
  engine: Engine,
  { model, weights, reserved = [], objective }: QuantiserInput,
  roundingShare: number,
  signal?: AbortSignal,
): Promise<Quantiser> {
  const { architecture } = model;
  const part = spread(weights, objective);
  const outputs = await Outputs.of(engine, model, part, signal);
  const error = Math.max(
    await wholeError(engine, model, weights, objective, signal),
    sampleError(objective.format),
  );
  const tensorsOf = { local: localTensors(architecture), global: globalTensors(architecture) };
  const counts = { local: weights.local.length, global: 1 };
  const numbers = (role: 'local' | 'global'): number =>
    tensorsOf[role].reduce((sum, { rows, columns }) => sum + rows * columns * counts[role], 0);
  // Error of all outputs that a stored number may add.
  const allowed = (roundingShare * error) / (numbers('local') + numbers('global'));
  const listOf = async (role: 'local' | 'global'): Promise<TensorQuantiser[]> => {
    const list: TensorQuantiser[] = [];
    for (const tensor of tensorsOf[role]) {
      const arrays = role === 'local' ? [...weights.local, ...reserved] : [weights.global];
      const most = largestMagnitude(tensor, role === 'local' ? part.weights.local : [weights.global]);
      const perSquare = await outputs.sensitivity(tensor, role, most, error);
      const numbersOf = tensor.rows * tensor.columns * counts[role];
      // What the measured partitions have no use for others may need: as fine as can be.
      const step = perSquare > 0 ? Math.sqrt((allowed * numbersOf) / perSquare) : 0;
      list.push(fitStep(tensor, step, arrays));
    }
    return list;
  };
  return { format: 'integer', local: await listOf('local'), global: await listOf('global') };
}

/** Squared error, in output units, that rounding to samples makes anyway: no weights need be better than that. */
function sampleError({ sampleType, mapping }: SampleFormat): number {
  return sampleType === 'float32' ? 0 : 1 / (12 * mapping.scale ** 2);
}

/** Some partitions, evenly spread, and what they are. */
interface Part {
  readonly weights: Weights;
  readonly boxes: Objective['boxes'];
}

function spread({ global, local }: Weights, { boxes, format }: Omit<Objective, 'peak'>): Part {
  const mean = boxes.reduce((sum, box) => sum + boxSize(box) * format.channels, 0) / boxes.length;
  const count = Math.max(1, Math.min(boxes.length, Math.round(MEASURED_OUTPUTS / mean)));
  const chosen = Array.from({ length: count }, (_, i) => Math.floor(((i + 0.5) * boxes.length) / count));
  return { weights: { global, local: chosen.map((i) => local[i]) }, boxes: chosen.map((i) => boxes[i]) };
}

/** What networks give, to see how far rounding moves it. */
class Outputs {
  private constructor(
    private readonly engine: Engine,
    private readonly model: Model,
    private readonly part: Part,
    private readonly exact: readonly Float32Array[],
    private readonly signal?: AbortSignal,
  ) {}

  static async of(engine: Engine, model: Model, part: Part, signal?: AbortSignal): Promise<Outputs> {
    return new Outputs(
      engine,
      model,
      part,
      await evaluate(engine, model, part.boxes, part.weights, signal),
      signal,
    );
  }

  /**
   * Mean squared change of the outputs, for a step, by the step's square.
   *
   * @param most largest magnitude in the tensor.
   * @param error what training has left.
   */
  async sensitivity(tensor: Tensor, role: 'local' | 'global', most: number, error: number): Promise<number> {
    // A tensor of zeros is exact by any step.
    if (most === 0) return 0;
    let step = FIRST_STEP * most;
    for (let tries = 1; ; tries++) {
      const change = await this.change(tensor, role, step);
      const isKnown = change >= LEAST_CHANGE * error && change <= MOST_CHANGE * error;
      if (isKnown || tries === MOST_TRIES) return change / step ** 2;
      step *= change > MOST_CHANGE * error ? 1 / 8 : 4;
    }
  }

  private async change(tensor: Tensor, role: 'local' | 'global', step: number): Promise<number> {
    const { global, local } = this.part.weights;
    const rounded = (weights: Float32Array): Float32Array => roundTensor(weights, tensor, step);
    const weights =
      role === 'local' ? { global, local: local.map(rounded) } : { global: rounded(global), local };
    const outputs = await evaluate(this.engine, this.model, this.part.boxes, weights, this.signal);
    let [sum, count] = [0, 0];
    outputs.forEach((values, p) => {
      count += values.length;
      for (let i = 0; i < values.length; i++) sum += (values[i] - this.exact[p][i]) ** 2;
    });
    return sum / count;
  }
}

function roundTensor(weights: Float32Array, { offset, rows, columns }: Tensor, step: number): Float32Array {
  const rounded = weights.slice();
  for (let i = offset; i < offset + rows * columns; i++) rounded[i] = Math.round(weights[i] / step) * step;
  return rounded;
}

async function evaluate(
  engine: Engine,
  model: Model,
  boxes: Objective['boxes'],
  { global, local }: Weights,
  signal?: AbortSignal,
): Promise<Float32Array[]> {
  const evaluator = await engine.createEvaluator(model, global);
  try {
    const tasks = boxes.map((box, p) => ({ box, weights: local[p], positions: sampleCentres(box) }));
    return await evaluator.evaluate(tasks, signal);
  } finally {
    await evaluator.dispose();
  }
}
