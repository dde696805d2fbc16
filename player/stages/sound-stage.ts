import { perSecond } from '../../src/time-range.js';
import { createElement } from '../interface/create-element.js';
import { Transport, timeText } from '../interface/transport.js';
import type { PlaybackClock } from '../playback/clock.js';
import { SoundClock } from '../sound/sound-clock.js';
import { WaveformView } from '../sound/waveform-view.js';
import type { Change, CropRequest, SignalDescription } from '../worker/methods.js';
import type { Stage, StageContext } from './stage.js';

/** Of sounds that say no rate; what they are played at then is as good as any. */
const ASSUMED_RATE = 44_100;

/** What an arrow key moves. */
const KEY_SECONDS = 5;

/** Samples a second of a signal. */
export function rateOf({ rate }: SignalDescription): number {
  return rate === undefined ? ASSUMED_RATE : perSecond(rate);
}

/** A clock that plays a sound of the file. */
export function soundClockOf(
  signal: SignalDescription,
  context: StageContext,
  onState: () => void,
): SoundClock {
  return new SoundClock({
    length: signal.shape[0],
    rate: rateOf(signal),
    cuts: signal.cuts[0],
    load: async (begin, end, abort) => {
      const { signalIndex } = signal;
      const reply = await context.channel.call('sound', { signalIndex, begin, end }, { signal: abort });
      if (reply.damaged.length > 0) context.onDamaged(reply.damaged);
      return reply;
    },
    onState,
    onFailed: context.onFailed,
  });
}

/** A sound: its waveform, and what plays it. */
export class SoundStage implements Stage {
  readonly element: HTMLElement;
  readonly controls: readonly HTMLElement[];
  readonly clock: SoundClock;
  readonly #wave: WaveformView;
  readonly #transport: Transport;
  readonly #context: StageContext;
  readonly #signal: SignalDescription;
  #frame = 0;
  #isSelecting = false;
  #selection: readonly [number, number] | undefined;

  constructor(signal: SignalDescription, context: StageContext) {
    this.#signal = signal;
    this.#context = context;
    const rate = rateOf(signal);
    const duration = signal.shape[0] / rate;
    const canvas = createElement('canvas', {
      tabindex: '0',
      role: 'img',
      'aria-label': `Waveform of a sound of ${timeText(duration)}`,
      part: 'canvas',
    });
    this.element = createElement('div', { class: 'wave' }, canvas);
    this.clock = soundClockOf(signal, context, () => {
      context.onPlaying({ state: this.clock.state, seconds: this.clock.seconds });
      this.#follow();
    });
    this.#wave = new WaveformView(canvas, {
      signalIndex: signal.signalIndex,
      length: signal.shape[0],
      load: (request, abort) => context.channel.call('peaks', request, { signal: abort }),
      onDraw: (isWhole) => context.onDraw({ isCovered: isWhole, isSharp: isWhole }),
      onFailed: context.onFailed,
    });
    this.#transport = new Transport(this.clock, duration, () => this.#follow());
    this.controls = this.#transport.controls;
    this.#listen(canvas);
  }

  get playback(): PlaybackClock {
    return {
      seconds: this.clock.seconds,
      state: this.clock.state,
      play: () => this.clock.play(),
      pause: () => this.clock.pause(),
      seek: (seconds) => this.#seek(seconds),
      dispose: () => this.clock.dispose(),
    };
  }

  get signal(): SignalDescription {
    return this.#signal;
  }

  get isSelecting(): boolean {
    return this.#isSelecting;
  }

  set isSelecting(isSelecting: boolean) {
    this.#isSelecting = isSelecting;
    if (!isSelecting) this.#select(undefined);
  }

  get selection(): Pick<CropRequest, 'time'> | undefined {
    if (this.#selection === undefined) return undefined;
    const rate = rateOf(this.#signal);
    const [begin, end] = this.#selection;
    return { time: { begin: begin / rate, end: end / rate } };
  }

  update({ changed }: Change): boolean {
    // What has grown has another length to play, and another waveform.
    return changed.every(({ signalIndex }) => signalIndex !== this.#signal.signalIndex);
  }

  retry(): void {
    this.#wave.retry();
  }

  dispose(): void {
    cancelAnimationFrame(this.#frame);
    this.clock.dispose();
    this.#wave.dispose();
  }

  /** Shows where the clock stands, again by every frame while it goes. */
  #follow(): void {
    cancelAnimationFrame(this.#frame);
    this.#transport.update();
    this.#wave.playhead = this.clock.seconds * rateOf(this.#signal);
    if (this.clock.state === 'playing' || this.clock.state === 'waiting') {
      this.#frame = requestAnimationFrame(() => this.#follow());
    }
  }

  #select(range: readonly [number, number] | undefined): void {
    this.#selection = range;
    this.#wave.selection = range;
    this.#context.onSelection();
  }

  #listen(canvas: HTMLCanvasElement): void {
    let from: number | undefined;
    const sampleAt = (event: MouseEvent): number => {
      const box = canvas.getBoundingClientRect();
      const part = Math.max(0, Math.min((event.clientX - box.left) / box.width, 1));
      return Math.round(this.#wave.sampleAt(part));
    };
    canvas.addEventListener('pointerdown', (event) => {
      canvas.setPointerCapture(event.pointerId);
      from = sampleAt(event);
      if (!this.#isSelecting) this.#seek(from / rateOf(this.#signal));
    });
    canvas.addEventListener('pointermove', (event) => {
      if (from === undefined) return;
      const to = sampleAt(event);
      if (!this.#isSelecting) this.#seek(to / rateOf(this.#signal));
      else this.#select(to === from ? undefined : [Math.min(from, to), Math.max(from, to)]);
    });
    canvas.addEventListener('pointerup', () => (from = undefined));
    canvas.addEventListener(
      'wheel',
      (event) => {
        event.preventDefault();
        const [begin, end] = this.#wave.range;
        const at = sampleAt(event);
        // A notch of common mice, 100 to 120, halves or doubles.
        const factor = 2 ** (event.deltaY / 120);
        this.#wave.look(at - (at - begin) * factor, at + (end - at) * factor);
      },
      { passive: false },
    );
    canvas.addEventListener('keydown', (event) => {
      const steps: Readonly<Record<string, number>> = { ArrowLeft: -KEY_SECONDS, ArrowRight: KEY_SECONDS };
      if (event.key === ' ') this.#transport.toggle();
      else if (Object.hasOwn(steps, event.key)) this.#seek(this.clock.seconds + steps[event.key]);
      else return;
      event.preventDefault();
    });
  }

  #seek(seconds: number): void {
    this.clock.seek(seconds);
    this.#follow();
  }
}
