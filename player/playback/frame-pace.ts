/** Frames over which it is judged whether a machine keeps up. */
const JUDGED_FRAMES = 24;

/** Of those, how many may come too late before fewer are asked for. */
const MOST_LATE = 6;

/** Judgements without a late frame after which more are tried again. */
const GOOD_BEFORE_MORE = 3;

/** Most frames that are left out at a time: less than two a second of a usual clip is no clip. */
const MOST_STRIDE = 12;

/** Judges which frames a machine can show while a clip plays: every one, or every second, third and so on. */
export class FramePace {
  readonly #onNotice: (text: string | undefined) => void;
  #stride = 1;
  #lastDue = -1;
  #seen = 0;
  #late = 0;
  #goodJudgements = 0;

  /** @param onNotice is told in words where frames are left out, and undefined when they are not any more. */
  constructor(onNotice: (text: string | undefined) => void) {
    this.#onNotice = onNotice;
  }

  /** Frames from one that is shown to the next. */
  get stride(): number {
    return this.#stride;
  }

  /** Takes in that a frame is due, and whether it is there. */
  note(due: number, isReady: boolean): void {
    if (due === this.#lastDue || due % this.#stride !== 0) return;
    this.#lastDue = due;
    this.#seen++;
    if (!isReady) this.#late++;
    if (this.#seen < JUDGED_FRAMES / this.#stride) return;
    this.#judge();
    this.#seen = 0;
    this.#late = 0;
  }

  #judge(): void {
    if (this.#late > MOST_LATE / this.#stride) {
      this.#goodJudgements = 0;
      this.#become(Math.min(MOST_STRIDE, this.#stride + 1));
    } else if (this.#late === 0 && ++this.#goodJudgements >= GOOD_BEFORE_MORE) {
      this.#goodJudgements = 0;
      this.#become(Math.max(1, this.#stride - 1));
    }
  }

  #become(stride: number): void {
    if (stride === this.#stride) return;
    this.#stride = stride;
    this.#onNotice(
      stride === 1
        ? undefined
        : `This machine shows one of ${stride} frames: decoding takes longer than they last`,
    );
  }
}
