// Node finds SingleBar and Presets among the names of this CommonJS module, but not Format.
import cliProgress, { Presets, SingleBar, type Options, type Params } from 'cli-progress';
import type { Progress } from '../../codec/train.js';
import { decibels } from '../decibels.js';
import { clock } from './figures.js';

/** Where nobody watches, as in a log, a line this often is enough. */
const LOG_INTERVAL_MS = 10_000;

/** Steps of the bar; finer than any terminal is wide. */
const RESOLUTION = 1000;

/** Shows how training goes, on stderr: a bar in a terminal, a line now and then elsewhere. */
export class TrainingProgress {
  readonly #bar: SingleBar | undefined;
  readonly #target: number | undefined;
  #isShown = false;
  #lastLineMs = performance.now();

  /** @param target PSNR in dB that was asked for, where one was. */
  constructor(target?: number) {
    this.#target = target;
    if (!process.stderr.isTTY) return;
    this.#bar = new SingleBar(
      {
        stream: process.stderr,
        format: (options: Options, params: Params, { state }: { state: Progress }) =>
          progressLine(state, target, cliProgress.Format.BarFormat(params.progress, options)),
        barsize: 22,
        clearOnComplete: true,
        // The terminal is left as it is, so that nothing needs undoing when the process is killed.
        linewrap: true,
        gracefulExit: false,
      },
      Presets.shades_classic,
    );
  }

  update(state: Progress): void {
    if (this.#bar !== undefined) {
      if (!this.#isShown) this.#bar.start(RESOLUTION, 0, { state });
      this.#isShown = true;
      this.#bar.update(Math.round((state.fraction ?? 0) * RESOLUTION), { state });
      return;
    }
    if (performance.now() - this.#lastLineMs < LOG_INTERVAL_MS) return;
    this.#lastLineMs = performance.now();
    process.stderr.write(`${logLine(state, this.#target)}\n`);
  }

  /** Takes the bar away; before anything else is written to stderr. */
  stop(): void {
    this.#bar?.stop();
  }
}

/** The line of a terminal, of fewer than 80 columns; time that has passed where none can be told for what is left. */
export function progressLine(state: Progress, target: number | undefined, bar: string): string {
  const { psnr, fraction, iterationsPerSecond } = state;
  const way = fraction === undefined ? '' : ` ${bar} ${Math.floor(fraction * 100)} %`;
  const speed = target === undefined ? `  ${shortNumber(iterationsPerSecond)} it/s` : '';
  return `training${way}  ${decibels(psnr, target)}${speed}  ${timeOf(state)}`;
}

/** The line of a log. */
export function logLine(state: Progress, target: number | undefined): string {
  const { iteration, psnr, iterationsPerSecond } = state;
  const speed = `${shortNumber(iterationsPerSecond)} iterations/s`;
  return `lgi: iteration ${iteration}, ${decibels(psnr, target)}, ${speed}, ${timeOf(state)}`;
}

function timeOf({ seconds, secondsLeft }: Progress): string {
  return Number.isFinite(secondsLeft) ? `${clock(secondsLeft)} left` : `${clock(seconds)} so far`;
}

function shortNumber(value: number): string {
  return value < 10 ? value.toFixed(1) : String(Math.round(value));
}
