import { globalCoordinates } from '../../coordinates.js';
import type { Model } from '../../model.js';
import type { GlobalPoint, Network, Tap } from './network.js';

/**
 * The global network as samples see it: at their own position, or interpolated from lattice points
 * (spec/sine.md, 7.3).
 *
 * Lattice points lie at whole multiples of the stride, in positions, on every axis, from position 0; a position is
 * between the nearest on either side, and the interpolation is linear along each axis.
 */
export class GlobalField {
  private readonly points = new Map<string, GlobalPoint>();

  constructor(
    private readonly network: Network,
    private readonly model: Model,
    private readonly weights: Float64Array,
  ) {}

  private pointAt(position: readonly number[]): GlobalPoint {
    const key = position.join();
    let point = this.points.get(key);
    if (point === undefined) {
      point = this.network.globalForward(this.weights, globalCoordinates(this.model, position));
      this.points.set(key, point);
    }
    return point;
  }

  /** The global points that a position depends on, and their shares; none without a global network. */
  taps(position: readonly number[]): Tap[] {
    const { globalWidth, latticeStride } = this.model.architecture;
    if (globalWidth === 0) return [];
    if (latticeStride === 0) return [{ point: this.pointAt(position), weight: 1 }];
    let corners: { at: number[]; weight: number }[] = [{ at: [], weight: 1 }];
    for (const value of position) {
      const index = Math.floor(value / latticeStride);
      const fraction = value / latticeStride - index;
      corners = corners.flatMap(({ at, weight }) => [
        { at: [...at, index * latticeStride], weight: weight * (1 - fraction) },
        { at: [...at, (index + 1) * latticeStride], weight: weight * fraction },
      ]);
    }
    return corners.map(({ at, weight }) => ({ point: this.pointAt(at), weight }));
  }

  /** Every point that was asked for since the field was made. */
  visited(): Iterable<GlobalPoint> {
    return this.points.values();
  }
}
