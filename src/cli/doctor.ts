import { parallelism } from '#threads';
import { LgiError } from '../../codec/errors.js';
import { loadTensorFlow, TENSORFLOW_HINT } from '../../codec/engine/tensorflow/load-node.js';
import { hasRelaxedSimd } from '../../codec/engine/cpu/module.js';
import { loadNodeAv } from '../media/node-av.js';
import { VERSION } from '../version.js';
import type { AddCommand, CommandContext } from './command.js';
import { counted } from './figures.js';

/** Something that may be there: what it is, or how to get it. */
type Finding =
  { readonly available: true; readonly is: string } | { readonly available: false; readonly hint: string };

/** What the packages of TensorFlow.js compute on, in words. */
const BACKENDS = {
  cuda: 'CUDA',
  native: "the machine's own code",
  wasm: 'WebAssembly',
  javascript: 'JavaScript',
} as const;

async function tensorflow(): Promise<Finding> {
  try {
    const { backend, packages } = await loadTensorFlow();
    const faster = backend === 'cuda' ? '' : `; faster with ${TENSORFLOW_HINT.split(', ')[0]}`;
    return { available: true, is: `${BACKENDS[backend]}, ${packages}${faster}` };
  } catch (error) {
    if (error instanceof LgiError) return { available: false, hint: TENSORFLOW_HINT };
    throw error;
  }
}

async function media(): Promise<Finding> {
  try {
    const { lib } = await loadNodeAv();
    return { available: true, is: `node-av, FFmpeg ${lib.getFFmpegInfo().version}` };
  } catch (error) {
    if (error instanceof LgiError) return { available: false, hint: 'npm install node-av' };
    throw error;
  }
}

/** `lgi doctor`. */
export const addDoctor: AddCommand = (program, context) => {
  program
    .command('doctor')
    .summary('what this machine can do, and how to get what is missing')
    .description('Says which engines and media this installation has, and how to get what it has not.')
    .action(() => examine(context));
};

async function examine({ output }: CommandContext): Promise<void> {
  const threads = parallelism();
  const simd = hasRelaxedSimd() ? 'relaxed SIMD' : 'SIMD';
  const findings: Readonly<Record<string, Finding>> = {
    'engine cpu': { available: true, is: `WebAssembly with ${simd}, ${counted(threads, 'thread')}` },
    'engine tensorflow': await tensorflow(),
    'engine webgpu': { available: false, hint: 'not in this version' },
    'pictures, sound, video': await media(),
  };
  const engines = Object.entries(findings).filter(([name]) => name.startsWith('engine '));
  output.result(
    {
      version: VERSION,
      node: process.versions.node,
      threads,
      engines: Object.fromEntries(engines.map(([name, finding]) => [name.slice('engine '.length), finding])),
      media: findings['pictures, sound, video'],
    },
    `lgi ${VERSION} on Node ${process.versions.node}`,
    Object.entries(findings).map(([name, finding]): [string, string] => [
      name,
      finding.available ? finding.is : `not there: ${finding.hint}`,
    ]),
  );
}
