import { Presets, SingleBar } from 'cli-progress';
import type { Progress } from '../../codec/train.js';
import { clock } from './figures.js';

/** Where nobody watches, as in a log, a line this often is enough. */
const LOG_INTERVAL_MS = 10_000;

/** Steps of the bar; finer than any terminal is wide. */
const RESOLUTION = 1000;

/** Shows how training goes, on stderr: a bar in a terminal, a line now and then elsewhere. */
export class TrainingProgress {
  readonly #bar: SingleBar | undefined;
  #isShown = false;
  #lastLineMs = performance.now();

  constructor() {
    if (!process.stderr.isTTY) return;
    this.#bar = new SingleBar(
      {
        stream: process.stderr,
        format: 'training {bar} {percentage} %  {psnr} dB  {speed} it/s  {left} left',
        barsize: 22,
        clearOnComplete: true,
        // The terminal is left as it is, so that nothing needs undoing when the process is killed.
        linewrap: true,
        gracefulExit: false,
      },
      Presets.shades_classic,
    );
  }

  update(progress: Progress): void {
    const psnr = progress.psnr.toFixed(2);
    const speed = shortNumber(progress.iterationsPerSecond);
    const left = clock(progress.secondsLeft);
    if (this.#bar !== undefined) {
      const payload = { psnr, speed, left };
      if (!this.#isShown) this.#bar.start(RESOLUTION, 0, payload);
      this.#isShown = true;
      this.#bar.update(Math.round(progress.fraction * RESOLUTION), payload);
      return;
    }
    if (performance.now() - this.#lastLineMs < LOG_INTERVAL_MS) return;
    this.#lastLineMs = performance.now();
    process.stderr.write(
      `lgi: iteration ${progress.iteration}, ${psnr} dB, ${speed} iterations/s, ${left} left\n`,
    );
  }

  /** Takes the bar away; before anything else is written to stderr. */
  stop(): void {
    this.#bar?.stop();
  }
}

function shortNumber(value: number): string {
  return value < 10 ? value.toFixed(1) : String(Math.round(value));
}
