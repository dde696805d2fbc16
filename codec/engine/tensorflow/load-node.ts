import { LgiError } from '../../errors.js';
import type { Engine } from '../engine.js';
import type { TensorFlow } from './tensorflow.js';
import { TensorflowEngine } from './tensorflow-engine.js';

/** What a package of TensorFlow.js computes on. */
export type TensorFlowBackend = 'cuda' | 'native' | 'wasm' | 'javascript';

/** A TensorFlow.js that was found. */
export interface FoundTensorFlow {
  readonly tf: TensorFlow;
  readonly backend: TensorFlowBackend;
  /** Its packages, with their version. */
  readonly packages: string;
}

/** How to install what the engine needs, the fastest first. */
export const TENSORFLOW_HINT =
  'npm install @tensorflow/tfjs-node-gpu (CUDA), or @tensorflow/tfjs-node, or @tensorflow/tfjs @tensorflow/tfjs-backend-wasm';

let loading: Promise<FoundTensorFlow> | undefined;

/**
 * Loads the fastest TensorFlow.js that is installed: with CUDA, of the machine's code, in WebAssembly, in JavaScript.
 *
 * @throws LgiError `unavailable` where none is.
 */
export function loadTensorFlow(): Promise<FoundTensorFlow> {
  loading ??= findTensorFlow().catch((error: unknown) => {
    // It may be installed while we run.
    loading = undefined;
    throw error;
  });
  return loading;
}

async function findTensorFlow(): Promise<FoundTensorFlow> {
  // It greets on stderr, which is not its own.
  const { warn } = console;
  console.warn = () => undefined;
  try {
    return (
      (await native('@tensorflow/tfjs-node-gpu', 'cuda')) ??
      (await native('@tensorflow/tfjs-node', 'native')) ??
      (await portable('wasm')) ??
      (await portable('javascript')) ??
      unavailable()
    );
  } finally {
    console.warn = warn;
  }
}

function unavailable(): never {
  throw new LgiError('unavailable', `TensorFlow.js is not installed; ${TENSORFLOW_HINT}`);
}

/** A package with all of TensorFlow.js in it; undefined where it is not installed, or does not start on this machine. */
async function native(name: string, backend: TensorFlowBackend): Promise<FoundTensorFlow | undefined> {
  const tf = await loaded<TensorFlow>(name);
  if (tf === undefined) return undefined;
  await tf.ready();
  return { tf, backend, packages: `${name} ${tf.version_core}` };
}

/** What runs everywhere; its backend in WebAssembly is another package. */
async function portable(backend: 'wasm' | 'javascript'): Promise<FoundTensorFlow | undefined> {
  const tf = await loaded<TensorFlow>('@tensorflow/tfjs');
  if (tf === undefined) return undefined;
  if (backend === 'wasm' && (await loaded('@tensorflow/tfjs-backend-wasm')) === undefined) return undefined;
  if (!(await tf.setBackend(backend === 'wasm' ? 'wasm' : 'cpu'))) return undefined;
  await tf.ready();
  return { tf, backend, packages: `@tensorflow/tfjs ${tf.version_core}` };
}

async function loaded<T>(name: string): Promise<T | undefined> {
  try {
    const module = (await import(name)) as T & { default?: T };
    return module.default ?? module;
  } catch {
    // Not installed, or without the libraries that it needs; what comes next may be there.
    return undefined;
  }
}

/** An engine on whatever TensorFlow.js is installed, looked for when something is first computed. */
export function createTensorflowEngine(): Engine {
  return new TensorflowEngine(async () => ({ tf: (await loadTensorFlow()).tf }), 1);
}
