import { LgiError } from '../../errors.js';
import type { LatentDecoder, LatentDecoderSetup, LatentTask } from '../../latent/decoder.js';
import { gridModels } from '../../latent/entropy-model.js';
import type { LatentArchitecture } from '../../latent/latent-architecture.js';
import { LOGARITHMS, PROBABILITIES } from '../../latent/probability-tables.js';
import { realShared } from '../../latent/shared-weights.js';
import { nextInstance } from './instances.js';
import { packedPlaces } from './latent-packing.js';
import { writeLatentPlan } from './latent-plan.js';
import * as record from './latent-records.js';
import { MemoryLayout } from './memory-layout.js';
import {
  compileKernels,
  growMemory,
  instantiateKernels,
  MAX_PAGES,
  PAGE_BYTES,
  sharedMemory,
  type LatentKernels,
} from './module.js';
import type { ThreadPool } from './pool.js';

/** Decodes partitions of the latent family on the cpu engine: assembly/latent/decode.ts. */
export class CpuLatentDecoder implements LatentDecoder {
  readonly #pool: ThreadPool;
  readonly #architecture: LatentArchitecture;
  readonly #instance = nextInstance();
  readonly #memory: WebAssembly.Memory;
  /** Where what comes and goes with every call begins. */
  readonly #free: number;
  readonly #tables: number;
  /** Calls take turns: they share the memory. */
  #turn: Promise<unknown> = Promise.resolve();

  static async create(
    pool: ThreadPool,
    { architecture, stored, most }: LatentDecoderSetup,
  ): Promise<CpuLatentDecoder> {
    const { module } = await compileKernels('latents');
    const trial = sharedMemory(1, 1);
    writeLatentPlan(new DataView(trial.buffer), 1024, architecture, { most, weights: 0 });
    const kernels = instantiateKernels<LatentKernels>(module, trial);
    const scratchBytes = kernels.scratchBytes(1024, 0, 0);
    const layout = new MemoryLayout();
    const plan = layout.take(record.LATENT_PLAN_BYTES);
    const weights = layout.take(4 * kernels.weightFloats(1024));
    const models = gridModels(architecture, stored.numbers);
    const wholeModels = layout.take(4 * record.WHOLE_FLOATS * models.length);
    const tables = layout.take(TABLE_BYTES);
    const scratch = Array.from({ length: pool.size }, () => layout.take(scratchBytes));
    const memory = sharedMemory(layout.pages('decoding of latents'), MAX_PAGES);
    const view = new DataView(memory.buffer);
    writeLatentPlan(view, plan, architecture, { most, weights, wholeModels });
    const real = realShared(architecture, stored);
    packedPlaces(architecture).forEach((place, i) => {
      if (place >= 0) view.setFloat32(weights + 4 * place, real[i], true);
    });
    models.forEach(({ mean, spread, offset, gain, absent }, grid) => {
      const model = new Int32Array(
        memory.buffer,
        wholeModels + 4 * record.WHOLE_FLOATS * grid,
        record.WHOLE_FLOATS,
      );
      model.set(mean);
      model.set(spread, record.WHOLE_SPREAD);
      model[record.WHOLE_OFFSET] = offset;
      model[record.WHOLE_GAIN] = gain;
      model[record.WHOLE_ABSENT] = absent;
    });
    writeTables(memory, tables);
    const decoder = new CpuLatentDecoder(pool, architecture, memory, layout.bytes, tables);
    await pool.run((thread) => ({
      kind: 'open',
      instance: decoder.#instance,
      module,
      memory,
      plan,
      scratch: scratch[thread],
      job: 0,
      points: 0,
    }));
    return decoder;
  }

  private constructor(
    pool: ThreadPool,
    architecture: LatentArchitecture,
    memory: WebAssembly.Memory,
    free: number,
    tables: number,
  ) {
    this.#pool = pool;
    this.#architecture = architecture;
    this.#memory = memory;
    this.#free = free;
    this.#tables = tables;
  }

  decode(tasks: readonly LatentTask[]): Promise<(Float32Array | LgiError)[]> {
    const result = this.#turn.then(() => this.#decode(tasks));
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async #decode(tasks: readonly LatentTask[]): Promise<(Float32Array | LgiError)[]> {
    let end = this.#free;
    const take = (bytes: number): number => {
      const at = end;
      end += Math.ceil(bytes / 64) * 64;
      return at;
    };
    const job = take(record.DECODE_BYTES);
    const list = take(record.DECODE_TASK_BYTES * tasks.length);
    const { outputs } = this.#architecture;
    const places = tasks.map(({ shape: [height, width], payload }) => ({
      payload: take(payload.length),
      outputs: take(4 * outputs * height * width),
      length: outputs * height * width,
    }));
    growMemory(this.#memory, Math.ceil(end / PAGE_BYTES));
    const { buffer } = this.#memory;
    const view = new DataView(buffer);
    view.setInt32(job + record.DECODE_NEXT, 0, true);
    view.setInt32(job + record.DECODE_TASK_COUNT, tasks.length, true);
    view.setInt32(job + record.DECODE_TASKS, list, true);
    view.setInt32(job + record.DECODE_TABLES, this.#tables, true);
    tasks.forEach(({ shape: [height, width], payload }, i) => {
      const at = list + record.DECODE_TASK_BYTES * i;
      new Uint8Array(buffer, places[i].payload, payload.length).set(payload);
      view.setInt32(at + record.DECODE_TASK_HEIGHT, height, true);
      view.setInt32(at + record.DECODE_TASK_WIDTH, width, true);
      view.setInt32(at + record.DECODE_TASK_PAYLOAD, places[i].payload, true);
      view.setInt32(at + record.DECODE_TASK_LENGTH, payload.length, true);
      view.setInt32(at + record.DECODE_TASK_OUTPUTS, places[i].outputs, true);
    });
    await this.#pool.run(() => ({ kind: 'evaluate', instance: this.#instance, job, rows: 0 }));
    return tasks.map(({ section }, i) => {
      const status = view.getInt32(list + record.DECODE_TASK_BYTES * i + record.DECODE_TASK_STATUS, true);
      if (status === record.DECODED) {
        return new Float32Array(buffer, places[i].outputs, places[i].length).slice();
      }
      const fact =
        status === record.LATENT_TOO_LARGE
          ? 'a latent is beyond 16 bits'
          : 'its bytes do not end where the latents do';
      return new LgiError('damaged', `${fact}; fetch the file again`, { section });
    });
  }

  async dispose(): Promise<void> {
    await this.#pool.run(() => ({ kind: 'close', instance: this.#instance }));
  }
}

/** The tables one after the other, as assembly/latent/decode-latents.ts finds them. */
const TABLES = [PROBABILITIES.same, PROBABILITIES.toward, PROBABILITIES.end, PROBABILITIES.digit];
const TABLE_BYTES = TABLES.reduce((sum, { byteLength }) => sum + byteLength, LOGARITHMS.byteLength);

function writeTables(memory: WebAssembly.Memory, at: number): void {
  let to = at;
  for (const table of TABLES) {
    new Uint16Array(memory.buffer, to, table.length).set(table);
    to += table.byteLength;
  }
  new Uint8Array(memory.buffer, to, LOGARITHMS.length).set(LOGARITHMS);
}
