import type { ActivationGradients } from '../../activation-gradients.js';
import { globalTensors, localTensors, type Architecture, type Role } from '../../architecture.js';
import { affine, affineBackward, layersOf, type Layer } from './affine.js';
import { ModulatedSine } from './modulated-sine.js';

/** One evaluation of the global network, and the gradient that comes back to it. */
export interface GlobalPoint {
  /** Per level: the input g_{i-1}, the argument z of the sine, and g_i. */
  readonly levels: readonly { input: Float64Array; z: Float64Array; features: Float64Array }[];
  /** Per level H numbers: what the argument of the merge's sine has of the global features. */
  readonly projections: readonly Float64Array[];
  /** Per level, the loss's gradient with respect to the projection; summed over all samples that use the point. */
  readonly projectionGradients: readonly Float64Array[];
}

/** A global point's share in one sample. */
export interface Tap {
  readonly point: GlobalPoint;
  readonly weight: number;
}

interface LocalLevel {
  readonly input: Float64Array;
  readonly z: Float64Array;
  /** u_i */
  readonly features: Float64Array;
  /** Argument of the merge's sine; null without a merge. */
  readonly mergeZ: Float64Array | null;
}

/** One evaluation of a local network, with what its backward pass needs. */
export interface LocalTrace {
  readonly levels: readonly LocalLevel[];
  /** l_L */
  readonly last: Float64Array;
  /** f64 [channels] */
  readonly output: Float64Array;
}

/**
 * The equations of the format (spec/sine.md, 7.2) for one position at a time, in f64: slow, and plain enough to be
 * checked by eye.
 *
 * Weights are flat arrays in the order of `architecture.ts`.
 */
export class Network {
  private readonly sineLayers: readonly Layer[];
  private readonly outputLayer: Layer;
  private readonly globalLayers: readonly Layer[];
  /** Rows of the merge for the local features, with its bias; null where it has none. */
  private readonly mergeLocal: Layer | null = null;
  /** Per level the rows of the merge for the global features, with its bias where it has no local ones. */
  private readonly mergeGlobal: readonly Layer[] = [];
  private readonly sines: Record<Role, { first: ModulatedSine; hidden: ModulatedSine }>;

  constructor(readonly architecture: Architecture) {
    const { activations, levels, localWidth, globalWidth, merge } = architecture;
    const local = layersOf(localTensors(architecture));
    this.sineLayers = local.slice(0, -1);
    this.outputLayer = local[local.length - 1];
    const global = layersOf(globalTensors(architecture));
    this.globalLayers = global.slice(0, levels);
    if (globalWidth > 0 && merge === 'concat') {
      const both = global[levels];
      this.mergeLocal = { ...both, inputs: localWidth };
      const weight = both.weight + localWidth * both.outputs;
      this.mergeGlobal = this.globalLayers.map(() => ({ ...both, inputs: globalWidth, weight, bias: null }));
    } else {
      this.mergeGlobal = global.slice(levels);
    }
    const both = (role: Role): { first: ModulatedSine; hidden: ModulatedSine } => ({
      first: new ModulatedSine(activations[role], activations[role].omegaFirst),
      hidden: new ModulatedSine(activations[role], activations[role].omegaHidden),
    });
    this.sines = { local: both('local'), global: both('global'), merge: both('merge') };
  }

  private sine(role: 'local' | 'global', level: number): ModulatedSine {
    return level === 0 ? this.sines[role].first : this.sines[role].hidden;
  }

  /** @param x f64 [inputs], signal coordinates. */
  globalForward(weights: Float64Array, x: Float64Array): GlobalPoint {
    let input = x;
    const levels = this.globalLayers.map((layer, level) => {
      const z = affine(layer, weights, input);
      const features = this.sine('global', level).forward(z);
      const result = { input, z, features };
      input = features;
      return result;
    });
    const projections = levels.map(({ features }, level) =>
      affine(this.mergeGlobal[level], weights, features),
    );
    return { levels, projections, projectionGradients: projections.map((p) => new Float64Array(p.length)) };
  }

  /** @param x f64 [inputs], local coordinates. */
  localForward(local: Float64Array, global: Float64Array, x: Float64Array, taps: readonly Tap[]): LocalTrace {
    let input = x;
    const levels = this.sineLayers.map((layer, level): LocalLevel => {
      const z = affine(layer, local, input);
      const features = this.sine('local', level).forward(z);
      let mergeZ: Float64Array | null = null;
      let next = features;
      if (this.globalLayers.length > 0) {
        mergeZ =
          this.mergeLocal === null
            ? new Float64Array(features.length)
            : affine(this.mergeLocal, global, features);
        for (const { point, weight } of taps) {
          for (let h = 0; h < mergeZ.length; h++) mergeZ[h] += weight * point.projections[level][h];
        }
        next = this.sines.merge.hidden.forward(mergeZ);
        if (this.mergeLocal === null) next = next.map((value, h) => value + features[h]);
      }
      const result = { input, z, features, mergeZ };
      input = next;
      return result;
    });
    return { levels, last: input, output: affine(this.outputLayer, local, input) };
  }

  /**
   * Adds a sample's gradients, given that of its output; leaves with the taps what is due to the global network.
   *
   * @param dOutput f64 [channels]
   */
  localBackward(
    local: Float64Array,
    global: Float64Array,
    trace: LocalTrace,
    taps: readonly Tap[],
    dOutput: Float64Array,
    gradients: { local: Float64Array; global: Float64Array; activations: ActivationGradients },
  ): void {
    let dNext = affineBackward(this.outputLayer, local, gradients.local, trace.last, dOutput);
    for (let level = trace.levels.length - 1; level >= 0; level--) {
      const { input, z, features, mergeZ } = trace.levels[level];
      let dFeatures = dNext;
      if (mergeZ !== null) {
        const dMergeZ = this.sines.merge.hidden.backward(mergeZ, dNext, gradients.activations.merge);
        for (const { point, weight } of taps) {
          const sum = point.projectionGradients[level];
          for (let h = 0; h < sum.length; h++) sum[h] += weight * dMergeZ[h];
        }
        if (this.mergeLocal !== null) {
          dFeatures = affineBackward(this.mergeLocal, global, gradients.global, features, dMergeZ);
        }
      }
      const dZ = this.sine('local', level).backward(z, dFeatures, gradients.activations.local);
      dNext = affineBackward(this.sineLayers[level], local, gradients.local, input, dZ);
    }
  }

  /** Adds the gradients due to a global point, once every sample that uses it has been through `localBackward`. */
  globalBackward(
    weights: Float64Array,
    point: GlobalPoint,
    gradients: { global: Float64Array; activations: ActivationGradients },
  ): void {
    let fromAbove: Float64Array | null = null;
    for (let level = point.levels.length - 1; level >= 0; level--) {
      const { input, z, features } = point.levels[level];
      const dProjection = point.projectionGradients[level];
      const dFeatures = affineBackward(
        this.mergeGlobal[level],
        weights,
        gradients.global,
        features,
        dProjection,
      );
      if (fromAbove !== null) for (let g = 0; g < dFeatures.length; g++) dFeatures[g] += fromAbove[g];
      const dZ = this.sine('global', level).backward(z, dFeatures, gradients.activations.global);
      fromAbove = affineBackward(this.globalLayers[level], weights, gradients.global, input, dZ);
    }
  }
}
