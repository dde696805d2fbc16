/** Whether time passes: `waiting` for what is not loaded yet. */
export type PlayState = 'playing' | 'paused' | 'waiting' | 'ended';

/** What says where in time playing stands. */
export interface PlaybackClock {
  /** From the begin of what is played. */
  readonly seconds: number;
  readonly state: PlayState;
  play(): void;
  pause(): void;
  /** Goes on from another place, playing or not as before. */
  seek(seconds: number): void;
  dispose(): void;
}

/** The clock of what has no sound. */
export class SilentClock implements PlaybackClock {
  readonly #duration: number;
  readonly #onState: (state: PlayState) => void;
  #state: PlayState = 'paused';
  /** Where it stood at {@link #sinceMs}. */
  #seconds = 0;
  #sinceMs = 0;

  constructor(duration: number, onState: (state: PlayState) => void) {
    this.#duration = duration;
    this.#onState = onState;
  }

  get seconds(): number {
    if (this.#state !== 'playing') return this.#seconds;
    const now = this.#seconds + (performance.now() - this.#sinceMs) / 1000;
    if (now < this.#duration) return now;
    this.#seconds = this.#duration;
    this.#become('ended');
    return this.#duration;
  }

  get state(): PlayState {
    return this.#state;
  }

  play(): void {
    if (this.#state === 'ended') this.#seconds = 0;
    this.#sinceMs = performance.now();
    this.#become('playing');
  }

  pause(): void {
    this.#seconds = this.seconds;
    if (this.#state === 'playing') this.#become('paused');
  }

  seek(seconds: number): void {
    this.#seconds = Math.max(0, Math.min(seconds, this.#duration));
    this.#sinceMs = performance.now();
    if (this.#state === 'ended') this.#become('paused');
  }

  dispose(): void {
    this.#state = 'paused';
  }

  #become(state: PlayState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#onState(state);
  }
}
