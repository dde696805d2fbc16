import { open, readFile } from 'node:fs/promises';

/** What one picture came to by one codec in one setting. */
export interface RatePoint {
  readonly picture: string;
  /** As tables name it: `LGI latents, normal`, `WebP`. */
  readonly codec: string;
  /** What of the codec was set for this point. */
  readonly setting: string;
  /** Samples of a plane. */
  readonly samples: number;
  /** Of the file as it lies on a disk. */
  readonly bytes: number;
  /** Of all channels, in dB. */
  readonly psnr: number;
  /** Encoding altogether, and decoding of the whole; of our own codec only. */
  readonly encodeSeconds?: number;
  readonly decodeMs?: number;
  /** Jumps across borders beside the source's, as `seamRatio`. */
  readonly seam?: number;
}

export function bitsPerSample({ bytes, samples }: RatePoint): number {
  return (8 * bytes) / samples;
}

function nameOf({ picture, codec, setting }: Pick<RatePoint, 'picture' | 'codec' | 'setting'>): string {
  return `${picture}\n${codec}\n${setting}`;
}

/** Points that are measured already, in a file of one JSON object a line. */
export class PointFile {
  readonly #points = new Map<string, RatePoint>();
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** Takes what the file has; one that is not there has nothing. */
  static async open(path: string): Promise<PointFile> {
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw error;
    });
    const file = new PointFile(path);
    for (const line of text.split('\n')) {
      try {
        const point = JSON.parse(line) as RatePoint;
        file.#points.set(nameOf(point), point);
      } catch {
        // The end of a run that was stopped: that point is measured again.
      }
    }
    return file;
  }

  get all(): RatePoint[] {
    return [...this.#points.values()];
  }

  has(point: Pick<RatePoint, 'picture' | 'codec' | 'setting'>): boolean {
    return this.#points.has(nameOf(point));
  }

  /** Once this resolves, the point is on the disk. */
  async add(point: RatePoint): Promise<void> {
    const file = await open(this.#path, 'a');
    try {
      // A line that was cut off stays one by itself.
      await file.writeFile(`\n${JSON.stringify(point)}`);
      await file.sync();
    } finally {
      await file.close();
    }
    this.#points.set(nameOf(point), point);
  }
}
