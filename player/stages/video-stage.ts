import { createButton, createElement } from '../interface/create-element.js';
import { Transport } from '../interface/transport.js';
import { PlanePanel } from '../plane/plane-panel.js';
import type { PlaneRun, PlaneView } from '../plane/plane-view.js';
import { visibleBox } from '../plane/view.js';
import { SilentClock, type PlaybackClock, type PlayState } from '../playback/clock.js';
import { FramePace } from '../playback/frame-pace.js';
import type { Change, CropRequest, SignalDescription } from '../worker/methods.js';
import { changesOf } from './changes-of.js';
import { zoomControls } from './picture-stage.js';
import { rateOf, soundClockOf } from './sound-stage.js';
import type { Stage, StageContext } from './stage.js';

/** Frames that are decoded ahead of the one shown while playing. */
const AHEAD_FRAMES = 6;

/** Frames that are decoded together at most, where partitions are longer: the first of them must not come too late. */
const MOST_RUN_FRAMES = 16;

/**
 * Partitions in time that are read at a time while playing: as chunks lie along a Hilbert curve, so many at once are few runs. A clip
 * of 640x272 in cells of 9x32x32 took 330 requests a second without this.
 */
const READ_AHEAD_CELLS = 8;

/** A clip, in step with its sound where it has one. */
export class VideoStage implements Stage {
  readonly element: HTMLElement;
  readonly controls: readonly HTMLElement[];
  readonly panel: PlanePanel;
  readonly clock: PlaybackClock;
  readonly playback: PlaybackClock;
  readonly #context: StageContext;
  readonly #transport: Transport;
  readonly #number = createElement('output', {});
  readonly #pace: FramePace;
  /** Seconds of the clip at which the clock's begin lies. */
  readonly #clockStart: number;
  #signal: SignalDescription;
  /** The frame that is shown or will be as soon as it is there. */
  #frame = 0;
  #reported = -1;
  readonly #reading = new Map<number, AbortController>();
  #request = 0;

  constructor(signal: SignalDescription, sound: SignalDescription | undefined, context: StageContext) {
    this.#signal = signal;
    this.#context = context;
    this.#pace = new FramePace((text) => context.onNotice(text));
    const rate = rateOf(signal);
    const duration = signal.shape[0] / rate;
    const onState = (): void => {
      context.onPlaying({ state: this.clock.state, seconds: this.seconds });
      this.#follow();
    };
    this.clock =
      sound === undefined ? new SilentClock(duration, onState) : soundClockOf(sound, context, onState);
    this.#clockStart = sound === undefined ? 0 : (sound.startSeconds ?? 0) - (signal.startSeconds ?? 0);
    this.playback = this.#asPlayback();
    this.panel = new PlanePanel(
      `Clip of ${signal.shape[2]} by ${signal.shape[1]} samples`,
      {
        maxBytes: context.maxBytes,
        load: (request, abort) => context.channel.call('plane', request, { signal: abort }),
        onDraw: (state) => {
          if (state.isSharp) this.#report();
          context.onDraw(state);
        },
        onFailed: context.onFailed,
        onDamaged: context.onDamaged,
        onViewChange: (view) => {
          const seen = visibleBox(view, this.panel.view.shape, this.panel.view.size);
          if (seen === null) return;
          const region = { begin: [this.#frame, ...seen.begin], end: [this.#frame + 1, ...seen.end] };
          context.onViewChange({ region, scale: view.scale });
        },
      },
      context.onSelection,
    );
    this.element = this.panel.element;
    this.#transport = new Transport(this.clock, duration, () => this.#follow());
    this.controls = [
      ...this.#transport.controls,
      createButton('Previous frame', '‹', () => this.step(-1)),
      createButton('Next frame', '›', () => this.step(1)),
      this.#number,
      ...zoomControls(this.panel),
    ];
    this.panel.view.canvas.addEventListener('keydown', (event) => {
      const actions: Readonly<Record<string, () => void>> = {
        ' ': () => this.#transport.toggle(),
        ',': () => this.step(-1),
        '.': () => this.step(1),
      };
      if (!Object.hasOwn(actions, event.key)) return;
      event.preventDefault();
      actions[event.key]();
    });
    this.#follow();
  }

  get view(): PlaneView {
    return this.panel.view;
  }

  get signal(): SignalDescription {
    return this.#signal;
  }

  /** Where the clip stands, in seconds from its begin. */
  get seconds(): number {
    return this.clock.seconds + this.#clockStart;
  }

  /** The frame that is shown, or will be as soon as it is there. */
  get frame(): number {
    return this.#frame;
  }

  get isSelecting(): boolean {
    return this.panel.isSelecting;
  }

  set isSelecting(isSelecting: boolean) {
    this.panel.isSelecting = isSelecting;
  }

  get selection(): Pick<CropRequest, 'region'> | undefined {
    const { selection } = this.panel;
    if (selection === undefined) return undefined;
    return {
      region: { begin: [0, ...selection.begin], end: [this.#signal.shape[0], ...selection.end] },
    };
  }

  /** Shows another frame, and stops there. */
  step(by: number): void {
    this.clock.pause();
    this.seek((this.#frame + by + 0.5) / rateOf(this.#signal));
  }

  /** The clock by the clip's own time, whatever the sound's is. */
  #asPlayback(): PlaybackClock {
    const seconds = (): number => this.seconds;
    const state = (): PlayState => this.clock.state;
    return {
      get seconds() {
        return seconds();
      },
      get state() {
        return state();
      },
      play: () => this.clock.play(),
      pause: () => this.clock.pause(),
      seek: (to) => this.seek(to),
      dispose: () => this.clock.dispose(),
    };
  }

  /** @param seconds from the clip's begin. */
  seek(seconds: number): void {
    this.clock.seek(seconds - this.#clockStart);
    this.#follow();
  }

  update(change: Change): boolean {
    const { signal, boxes, moved } = changesOf(change, this.#signal);
    // The clock and the sound have another length, too.
    if (signal.shape[0] !== this.#signal.shape[0]) return false;
    this.#signal = signal;
    this.panel.view.replace(signal, boxes, moved);
    return true;
  }

  retry(): void {
    this.panel.view.retry();
  }

  dispose(): void {
    cancelAnimationFrame(this.#request);
    this.#readAhead(Infinity);
    this.clock.dispose();
    this.panel.dispose();
  }

  #atOf(frame: number): number[] {
    return [frame, 0, 0];
  }

  /** Shows the frame that is due, or the last before it that is there; again by every frame of the screen while it plays. */
  #follow(): void {
    cancelAnimationFrame(this.#request);
    const last = this.#signal.shape[0] - 1;
    // What is due at its very begin must not be taken for the one before by a rounding.
    const due = Math.max(0, Math.min(Math.floor(this.seconds * rateOf(this.#signal) + 1e-6), last));
    const isRunning = this.clock.state === 'playing' || this.clock.state === 'waiting';
    const { view } = this.panel;
    view.isThrifty = isRunning;
    let ahead: PlaneRun[] = [];
    if (isRunning) {
      const isReady = (frame: number): boolean => view.isReady(this.#atOf(frame));
      this.#pace.note(due, isReady(due));
      this.#frame = this.#latestReady(due, isReady);
      this.#readAhead(due);
      const { stride } = this.#pace;
      const next = Math.ceil((due + 1) / stride) * stride;
      ahead =
        stride === 1
          ? this.#runsFrom(next)
          : Array.from({ length: AHEAD_FRAMES }, (_, i) => next + i * stride)
              .filter((frame) => frame <= last)
              .map((frame) => ({ at: this.#atOf(frame), count: 1 }));
    } else {
      this.#frame = due;
      // The next step of the person's.
      if (due < last) ahead = [{ at: this.#atOf(due + 1), count: 1 }];
    }
    view.show({ signal: this.#signal, axes: [1, 2], at: this.#atOf(this.#frame) }, ahead);
    this.#number.textContent = `${this.#frame} of ${last}`;
    this.#transport.update();
    if (isRunning) this.#request = requestAnimationFrame(() => this.#follow());
  }

  /** The latest frame up to the one that is due that is there; the one shown already where none is. */
  #latestReady(due: number, isReady: (frame: number) => boolean): number {
    if (due < this.#frame) return due;
    for (let frame = due; frame > this.#frame; frame--) if (isReady(frame)) return frame;
    // After a seek forward nothing between is ever there.
    return due - this.#frame > AHEAD_FRAMES * this.#pace.stride ? due : this.#frame;
  }

  /** Has what will be shown from a frame on read in long stretches, and nothing of what is past. */
  #readAhead(frame: number): void {
    const [length] = this.#signal.shape;
    const edges = [0, ...this.#signal.cuts[0].filter((_, i) => (i + 1) % READ_AHEAD_CELLS === 0), length];
    const present = edges.findIndex((edge, i) => edge <= frame && frame < edges[i + 1]);
    for (const [block, controller] of this.#reading) {
      if (present >= 0 && block >= present && block <= present + 1) continue;
      this.#reading.delete(block);
      controller.abort(new DOMException('not wanted any more', 'AbortError'));
    }
    const { view } = this.panel;
    const seen = visibleBox(view.view, view.shape, view.size);
    if (present < 0 || seen === null) return;
    for (const block of [present, present + 1]) {
      if (this.#reading.has(block) || block >= edges.length - 1) continue;
      const controller = new AbortController();
      this.#reading.set(block, controller);
      const region = { begin: [edges[block], ...seen.begin], end: [edges[block + 1], ...seen.end] };
      const { signalIndex } = this.#signal;
      // What fails here is met, and told, where it is decoded.
      this.#context.channel
        .call('prefetch', { signalIndex, region }, { signal: controller.signal })
        .catch(() => undefined);
    }
  }

  /** Frames by the partitions in time that they share, from the one that a frame is in on: decoded together, for half the work. */
  #runsFrom(frame: number): PlaneRun[] {
    const [length] = this.#signal.shape;
    const runs: PlaneRun[] = [];
    let begin = 0;
    for (const cut of [...this.#signal.cuts[0], length]) {
      for (; begin < cut; begin = Math.min(cut, begin + MOST_RUN_FRAMES)) {
        if (begin > frame + AHEAD_FRAMES) return runs;
        const end = Math.min(cut, begin + MOST_RUN_FRAMES);
        if (end > frame) runs.push({ at: this.#atOf(begin), count: end - begin });
      }
    }
    return runs;
  }

  #report(): void {
    if (this.#reported === this.#frame) return;
    this.#reported = this.#frame;
    this.#context.onFrame({ frame: this.#frame, seconds: this.seconds });
  }
}
