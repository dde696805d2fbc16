/** A file beside others that hold about the same. */
export interface SmallRow {
  /** What wrote it, and how. */
  readonly codec: string;
  readonly bytes: number;
  /** As tables show it: `34.1 dB`, `IoU 0.9990`, `lossless`. */
  readonly quality: string;
  /** Encoding altogether; of our own. */
  readonly seconds?: number;
}

/** What a medium comes to by our codec. */
export interface OwnFile {
  readonly bytes: number;
  readonly psnr: number;
  readonly iou?: number;
  readonly seconds: number;
}

/**
 * The smallest whole number for which a file is good enough, where quality rises with it.
 *
 * @returns undefined where the largest is not.
 */
export async function leastSetting<T>(
  least: number,
  most: number,
  measure: (setting: number) => Promise<T>,
  isGood: (result: T) => boolean,
): Promise<{ setting: number; result: T } | undefined> {
  let [low, high] = [least, most];
  let best: { setting: number; result: T } | undefined;
  while (low <= high) {
    const setting = Math.floor((low + high) / 2);
    const result = await measure(setting);
    if (isGood(result)) {
      best = { setting, result };
      high = setting - 1;
    } else {
      low = setting + 1;
    }
  }
  return best;
}
