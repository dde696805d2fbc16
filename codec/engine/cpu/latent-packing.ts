import {
  latentGrids,
  latentTensors,
  latentWeightCount,
  levelLength,
  TAPS,
  type LatentArchitecture,
} from '../../latent/latent-architecture.js';
import * as record from './latent-records.js';

function pad4(count: number): number {
  return Math.ceil(count / 4) * 4;
}

/**
 * Where shared weights stand in the kernels' memory (assembly/latent/plan.ts has the layout): of every weight the float, or -1 for those
 * that kernels do without.
 */
export function packedPlaces(architecture: LatentArchitecture): Int32Array {
  const { hiddenWidth, levels } = architecture;
  const features = latentGrids(architecture).length;
  const output = pad4(features + 1) * hiddenWidth;
  const taps = output + 4 * pad4(hiddenWidth + features + 1);
  const models = taps + TAPS * (levels - 1);
  const places = new Int32Array(latentWeightCount(architecture));
  for (const { name, grid = 0, offset, rows, columns } of latentTensors(architecture)) {
    const model = models + grid * record.MODEL_FLOATS;
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const place = {
          hiddenWeight: column * hiddenWidth + row,
          hiddenBias: features * hiddenWidth + column,
          outputWeight: output + 4 * column + row,
          outputBias: output + 4 * (hiddenWidth + features) + column,
          bypass: output + 4 * (hiddenWidth + column) + row,
          taps: taps + TAPS * row + column,
          mean: model + column,
          spread: model + record.MODEL_SPREAD + column,
          scale: model + record.MODEL_SCALE + column,
          presence: -1,
        }[name];
        places[offset + row * columns + column] = place;
      }
    }
  }
  return places;
}

/** Where a partition's latents stand in the padded layout: of every latent the float, and floats altogether. */
export function paddedPlaces(
  architecture: LatentArchitecture,
  [height, width]: readonly [number, number],
): { readonly places: Int32Array; readonly floats: number } {
  const places: number[] = [];
  let floats = 0;
  for (const { level } of latentGrids(architecture)) {
    const [rows, columns] = [levelLength(height, level), levelLength(width, level)];
    const stride = pad4(columns) + 8;
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) places.push(floats + (row + 2) * stride + 4 + column);
    }
    floats += (rows + 2) * stride;
  }
  return { places: Int32Array.from(places), floats };
}
