import { countParameters, siren, type Architecture, type ParameterCount } from '../../codec/architecture.js';
import { Harmonizer } from '../../codec/incode/harmonizer.js';
import { RESNET_FEATURES } from '../../codec/incode/resnet-features.js';
import type { Configuration } from './configurations.js';
import { NOISE_HARMONIZER, PICTURE_HARMONIZER } from './harmonizers.js';

/** Sine layers, but for one row. */
const LEVELS = 4;

/** Parameters of a harmonizer, whose outputs alone a file needs: four numbers for each of its roles. */
function harmonizerParameters(experiment: string, roles: number): number {
  const shape = experiment === 'denoising' ? NOISE_HARMONIZER : PICTURE_HARMONIZER;
  return new Harmonizer({ ...shape, inputs: RESNET_FEATURES, outputs: 4 * roles }, 0).parameterCount;
}

/** A configuration as this project's architecture; one network of everything is a partition of everything. */
export function architectureOf({
  inputs,
  outputs,
  localWidth = 0,
  globalWidth = 0,
  levels = LEVELS,
  partitions,
}: Configuration): Architecture {
  const isOne = partitions === undefined;
  return {
    inputs,
    outputs,
    levels,
    localWidth: isOne ? globalWidth : localWidth,
    globalWidth: isOne ? 0 : globalWidth,
    localCoordinates: 'signal',
    latticeStride: 0,
    merge: 'concat',
    activations: { local: siren(30, 30), global: siren(30, 30), merge: siren(30, 30) },
  };
}

/** Parameters of a configuration as the paper counts them: what is trained, by where it belongs. */
export function parametersOf(configuration: Configuration): ParameterCount {
  const { method, partitions } = configuration;
  const cells = partitions?.reduce((product, count) => product * count, 1) ?? 1;
  const counted = countParameters(architectureOf(configuration), configuration.networks ?? cells);
  const isOne = partitions === undefined;
  // One harmonizer serves all partitions; where there is no global network, the paper counts it among the local ones.
  const harmonizer = { INCODE: 1, IPP: 1, LGI: 3 }[method as string];
  const more = harmonizer === undefined ? 0 : harmonizerParameters(configuration.experiment, harmonizer);
  const local = (isOne ? 0 : counted.local) + (method === 'IPP' ? more : 0);
  const global = (isOne ? counted.local : counted.global) + (method === 'IPP' ? 0 : more);
  return { total: local + global, local, global };
}
