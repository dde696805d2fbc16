import type { PlaybackClock, PlayState } from '../playback/clock.js';
import { createButton, createElement } from './create-element.js';

/** Steps of the slider. */
const STEPS = 1000;

/** Minutes and seconds, as players have it. */
export function timeText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const tail = `${String(whole % 60).padStart(2, '0')}`;
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${tail}` : `${minutes}:${tail}`;
}

/** Play, pause and seek, by buttons, a slider and keys. */
export class Transport {
  readonly controls: readonly HTMLElement[];
  readonly #clock: PlaybackClock;
  readonly #duration: number;
  readonly #play: HTMLButtonElement;
  readonly #slider = createElement('input', {
    type: 'range',
    min: '0',
    max: String(STEPS),
    step: '1',
    value: '0',
    'aria-label': 'Position',
  });
  readonly #time = createElement('output', {});
  #isSliding = false;

  /** @param onSeek the place was changed, where more is to be done than the clock does. */
  constructor(clock: PlaybackClock, duration: number, onSeek: () => void) {
    this.#clock = clock;
    this.#duration = duration;
    this.#play = createButton('Play', '▶', () => this.toggle());
    this.#slider.addEventListener('input', () => {
      this.#isSliding = true;
      clock.seek((Number(this.#slider.value) / STEPS) * duration);
      onSeek();
    });
    this.#slider.addEventListener('change', () => (this.#isSliding = false));
    this.controls = [this.#play, this.#slider, this.#time];
    this.update();
  }

  toggle(): void {
    const { state } = this.#clock;
    if (state === 'playing' || state === 'waiting') this.#clock.pause();
    else this.#clock.play();
  }

  /** Shows where the clock stands. */
  update(): void {
    const { seconds, state } = this.#clock;
    this.#time.textContent = `${timeText(seconds)} / ${timeText(this.#duration)}`;
    this.#slider.setAttribute('aria-valuetext', timeText(seconds));
    if (!this.#isSliding) this.#slider.value = String(Math.round((seconds / this.#duration) * STEPS));
    this.#showState(state);
  }

  #showState(state: PlayState): void {
    const isRunning = state === 'playing' || state === 'waiting';
    const label = isRunning ? 'Pause' : 'Play';
    if (this.#play.title === label) return;
    this.#play.title = label;
    this.#play.setAttribute('aria-label', label);
    this.#play.textContent = isRunning ? '❚❚' : '▶';
  }
}
