import { LgiError } from '../../codec/errors.js';
import type { SampleArray } from '../../codec/signal.js';

/** Bytes of frames that are kept: all of a short clip, a minute of 1080p has 11 GB of them. */
const WINDOW_BYTES = 2 ** 29;

/** Frames that are kept however large they are: two partitions of the default length in time. */
const LEAST_FRAMES = 32;

/**
 * Frames of a clip by their number, decoded in order and kept as long as there is room: reading forwards decodes a clip once,
 * a step back beyond the window decodes it again from the start.
 */
export class FrameWindow {
  private readonly frames = new Map<number, SampleArray>();
  private readonly capacity: number;
  private decoding: AsyncGenerator<SampleArray> | undefined;
  private next = 0;
  private last: Promise<unknown> = Promise.resolve();

  /**
   * @param decode starts decoding at the first frame.
   * @param windowBytes what is kept.
   */
  constructor(
    private readonly decode: () => AsyncGenerator<SampleArray>,
    bytesPerFrame: number,
    windowBytes = WINDOW_BYTES,
  ) {
    this.capacity = Math.max(LEAST_FRAMES, Math.floor(windowBytes / bytesPerFrame));
  }

  /** Calls `take` with each of the frames [begin, end) in order; one call after the other, also of several callers. */
  visit(begin: number, end: number, take: (frame: SampleArray, index: number) => void): Promise<void> {
    const visiting = this.last.then(async () => {
      for (let index = begin; index < end; index++) take(await this.frame(index), index);
    });
    this.last = visiting.catch(() => undefined);
    return visiting;
  }

  /** Ends decoding and forgets the frames. */
  async close(): Promise<void> {
    await this.last;
    await this.decoding?.return(undefined);
    this.decoding = undefined;
    this.frames.clear();
  }

  private async frame(index: number): Promise<SampleArray> {
    for (;;) {
      const held = this.frames.get(index);
      if (held !== undefined) return held;
      if (index < this.next) await this.restart();
      this.decoding ??= this.decode();
      const { value, done } = await this.decoding.next().catch(async (error: unknown) => {
        // What has failed is over; whoever asks again begins anew.
        await this.restart();
        throw error;
      });
      if (done === true) {
        await this.restart();
        // It was counted before, so only a file that changed meanwhile ends earlier.
        throw new LgiError(
          'io',
          `frame ${index} is no longer there: the file changed while it was read; read it anew`,
        );
      }
      this.frames.set(this.next, value);
      this.frames.delete(this.next - this.capacity);
      this.next++;
    }
  }

  private async restart(): Promise<void> {
    await this.decoding?.return(undefined);
    this.decoding = undefined;
    this.frames.clear();
    this.next = 0;
  }
}
