// Conformance vectors of headers that break one rule of section 4 of the format, or of 6 or 15.
import { elementCount, localTensors } from '../dist/codec/architecture.js';
import { encodeWeights } from '../dist/codec/coder/encode-weights.js';
import { openContainer } from '../dist/src/container/reader.js';
import { MemorySource } from '../dist/src/index.js';
import { FEATURES } from '../dist/src/container/superblock.js';
import { signal, latents, quantiser } from './table-edits.mjs';

/** An origin of local weights that a reader can read: numbers of a bit or more each. */
async function originOf(file) {
  const { header } = await openContainer(new MemorySource(file));
  const [{ model, quantiser }] = header.signals;
  const tensors = localTensors(model.architecture);
  const weights = Float32Array.from({ length: elementCount(tensors) });
  let at = 0;
  tensors.forEach((tensor, i) => {
    const count = elementCount([tensor]);
    for (let j = 0; j < count; j++) weights[at + j] = (j % 2 === 0 ? 1 : -1) * quantiser.local[i].step;
    at += count;
  });
  return [...encodeWeights(weights, tensors, quantiser.local, 'integer', 'range')];
}

/** Faults of headers: name, description, file, edit, code, section. */
export async function headerRules(files) {
  const one = files.get('one-partition');
  const range = files.get('range');
  const grey = files.get('latent-grey');
  const overview = files.get('overview');
  const header = 'header';
  const origin = await originOf(one);

  return [
    [
      'channels',
      'One channel with the layout of three.',
      one,
      signal((s) => (s.sampleFormat.layout = 2)),
      'damaged',
      header,
    ],
    [
      'axes-shape',
      'A first shape of three axes for a picture.',
      one,
      signal((s) => s.firstShape.push(1)),
      'damaged',
      header,
    ],
    [
      'axes-cell',
      'A nominal cell of three axes for a picture.',
      one,
      signal((s) => s.nominalCell.push(1)),
      'damaged',
      header,
    ],
    [
      'axes-maps',
      'Coordinate maps of three axes for a picture.',
      one,
      signal((s) => s.coordinateMaps.push([1, 0])),
      'damaged',
      header,
    ],
    [
      'digest',
      'A digest of 31 bytes.',
      one,
      (h) => void (h.digest = new Array(31).fill(1)),
      'damaged',
      header,
    ],
    [
      'quantisers',
      'A quantiser of a tensor that there is not.',
      one,
      quantiser((q) => q.localTensors.push([0.5, 8])),
      'damaged',
      header,
    ],
    ['step', 'A step below zero.', one, quantiser((q) => (q.localTensors[0][0] *= -1)), 'damaged', header],
    [
      'global-rest',
      'Global weights without a global network.',
      one,
      signal((s) => (s.globalWeights = [1, 2, 3])),
      'damaged',
      header,
    ],
    [
      'constant-length',
      'Networks as long as the payload of a constant partition.',
      one,
      signal((s) => {
        Object.assign(s, { constantPartitions: 1 });
        Object.assign(s.architecture, { levels: 1, localWidth: 1 });
        s.quantiser.localTensors = [8, 4, 6, 6].map((bits) => [0.5, bits]);
        return { mustUnderstand: FEATURES.constantPartitions };
      }),
      'damaged',
      header,
    ],
    [
      'models-without-coder',
      'Models of integers that no coder uses.',
      one,
      quantiser((q) => (q.localModels = q.localTensors.map(() => 0))),
      'damaged',
      header,
    ],
    [
      'models-long',
      'A byte behind the models of the last tensor.',
      range,
      quantiser((q) => q.localModels.push(0)),
      'damaged',
      header,
    ],
    [
      'models-short',
      'Models of all tensors but the last.',
      range,
      quantiser((q) => {
        let at = 0;
        for (let i = 1; i < q.localTensors.length; i++) at += 1 + q.localModels[at];
        q.localModels = q.localModels.slice(0, at);
      }),
      'damaged',
      header,
    ],
    [
      'range-floats',
      'The coder of integers for floats.',
      range,
      signal((s) => {
        Object.assign(s.quantiser, { format: 0, localTensors: [], globalTensors: [], localModels: [] });
        s.architecture.globalWidth = 0;
        s.globalWeights = [];
      }),
      'damaged',
      header,
    ],
    [
      'origin-without-coder',
      'An origin of integers that no coder uses.',
      one,
      (h) => {
        h.signals[0].quantiser.localOrigin = origin;
        return { mustUnderstand: FEATURES.localOrigin };
      },
      'damaged',
      header,
    ],
    [
      'overview-factor',
      'A factor of an overview that is no power of two.',
      overview,
      (h) => {
        h.signals[1].overviewFactor = 3;
        h.signals[1].firstShape = h.signals[0].firstShape.map((length) => Math.ceil(length / 3));
      },
      'damaged',
      header,
    ],
    [
      'overview-primary',
      'A primary signal with the factor of an overview.',
      one,
      signal((s) => (s.overviewFactor = 4)),
      'damaged',
      header,
    ],
    [
      'overview-first',
      'An overview of no signal.',
      one,
      signal((s) => Object.assign(s, { role: 1, overviewFactor: 2 })),
      'damaged',
      header,
    ],
    [
      'overview-large',
      'A factor of an overview beyond the limit.',
      overview,
      (h) => {
        Object.assign(h.signals[1], { overviewFactor: 8192, firstShape: [1, 1] });
      },
      'limit',
      header,
    ],
    [
      'overview-format',
      'An overview of another mapping than its primary signal.',
      overview,
      (h) => void (h.signals[1].sampleFormat.mapping[1] += 1),
      'damaged',
      header,
    ],
    [
      'overview-shape',
      'An overview of a sample more than its primary signal makes.',
      overview,
      (h) => void (h.signals[1].firstShape[0] += 1),
      'damaged',
      header,
    ],
    [
      'latent-constants',
      'Latents with constant partitions.',
      grey,
      signal((s) => (s.constantPartitions = 1)),
      'damaged',
      header,
    ],
    [
      'latent-maps',
      'Latents with coordinate maps.',
      grey,
      signal(
        (s) =>
          (s.coordinateMaps = [
            [1, 0],
            [1, 0],
          ]),
      ),
      'damaged',
      header,
    ],
    [
      'latent-hidden',
      'A hidden width of latents that is no multiple of 4.',
      grey,
      latents((a) => (a.hiddenWidth = 6)),
      'damaged',
      header,
    ],
    [
      'latent-finest',
      'A finest level beyond the coarsest.',
      grey,
      latents((a) => (a.finestLevels[0] = a.levels)),
      'damaged',
      header,
    ],
    [
      'latent-amplitude',
      'An amplitude below zero.',
      grey,
      latents((a) => (a.amplitude *= -1)),
      'damaged',
      header,
    ],
  ];
}
