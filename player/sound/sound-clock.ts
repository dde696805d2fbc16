import type { PlaybackClock, PlayState } from '../playback/clock.js';
import type { SoundReply } from '../worker/methods.js';

/** What a sound is played from. */
export interface SoundClockOptions {
  /** Samples of the sound. */
  readonly length: number;
  /** Samples a second. */
  readonly rate: number;
  /** Where partitions meet, in samples, ascending. */
  readonly cuts: readonly number[];
  readonly load: (begin: number, end: number, signal: AbortSignal) => Promise<SoundReply>;
  readonly onState: (state: PlayState) => void;
  readonly onFailed: (error: Error) => void;
}

/** What is decoded ahead of what is heard: more than a slow request takes, a little of what a seek throws away. */
const AHEAD_SECONDS = 4;

/** Least of a block behind the first, which is one partition so that it comes soon. */
const BLOCK_SECONDS = 0.5;

/** Between a block's arrival and its sound: what the audio thread needs to be told in time. */
const LEAD_SECONDS = 0.02;

/** Plays a sound as it is decoded, by Web Audio; its clock is what is heard. */
export class SoundClock implements PlaybackClock {
  readonly #options: SoundClockOptions;
  #context: AudioContext | undefined;
  #state: PlayState = 'paused';
  /** Sample that is heard next, while nothing is playing. */
  #position = 0;
  /** Sample from which on nothing is scheduled. */
  #scheduledEnd = 0;
  /** A sample and the context's time at which it is heard; undefined while nothing is. */
  #anchor: { readonly sample: number; readonly time: number } | undefined;
  #nodes = new Set<AudioBufferSourceNode>();
  #loading: AbortController | undefined;

  constructor(options: SoundClockOptions) {
    this.#options = options;
  }

  get seconds(): number {
    const { rate } = this.#options;
    if (this.#anchor === undefined || this.#context === undefined) return this.#position / rate;
    const { currentTime, outputLatency, baseLatency } = this.#context;
    // Absent in Safari.
    const latency = (outputLatency as number | undefined) ?? baseLatency;
    const heard = this.#anchor.sample + (currentTime - latency - this.#anchor.time) * rate;
    return Math.max(this.#anchor.sample, Math.min(heard, this.#scheduledEnd)) / rate;
  }

  get state(): PlayState {
    return this.#state;
  }

  play(): void {
    if (this.#state === 'playing' || this.#state === 'waiting') return;
    if (this.#state === 'ended') this.#position = 0;
    this.#context ??= createContext(this.#options.rate);
    void this.#context.resume();
    this.#start();
  }

  pause(): void {
    if (this.#state !== 'playing' && this.#state !== 'waiting') return;
    this.#stop();
    this.#become('paused');
  }

  seek(seconds: number): void {
    const { length, rate } = this.#options;
    const wasPlaying = this.#state === 'playing' || this.#state === 'waiting';
    this.#stop();
    this.#position = Math.max(0, Math.min(Math.round(seconds * rate), length - 1));
    if (wasPlaying) this.#start();
    else if (this.#state === 'ended') this.#become('paused');
  }

  dispose(): void {
    this.#stop();
    void this.#context?.close();
    this.#context = undefined;
  }

  #start(): void {
    this.#become('waiting');
    this.#scheduledEnd = this.#position;
    const loading = new AbortController();
    this.#loading = loading;
    this.#feed(loading.signal).catch((error: unknown) => {
      if (loading.signal.aborted) return;
      this.pause();
      this.#options.onFailed(error as Error);
    });
  }

  /** Ends what is heard and loaded, and remembers where that was. */
  #stop(): void {
    this.#position = Math.round(this.seconds * this.#options.rate);
    this.#loading?.abort(new DOMException('not wanted any more', 'AbortError'));
    this.#anchor = undefined;
    for (const node of this.#nodes) {
      node.onended = null;
      node.stop();
    }
    this.#nodes.clear();
  }

  /** Loads block after block, as far ahead as is good, and has each heard behind the one before. */
  async #feed(signal: AbortSignal): Promise<void> {
    const { length, load } = this.#options;
    let isFirst = true;
    while (this.#scheduledEnd < length) {
      const begin = this.#scheduledEnd;
      const end = this.#blockEnd(begin, isFirst);
      isFirst = false;
      const { channels } = await load(begin, end, signal);
      signal.throwIfAborted();
      this.#schedule(channels, begin, end);
      await this.#waitForNeed(signal);
    }
  }

  /** The end of the partition that a block begins in, or of one that makes it long enough. */
  #blockEnd(begin: number, isFirst: boolean): number {
    const { cuts, rate, length } = this.#options;
    const least = isFirst ? begin + 1 : begin + BLOCK_SECONDS * rate;
    const most = begin + AHEAD_SECONDS * rate;
    return Math.min(cuts.find((cut) => cut >= least) ?? length, Math.ceil(most), length);
  }

  #schedule(channels: readonly Float32Array<ArrayBuffer>[], begin: number, end: number): void {
    const context = this.#context;
    if (context === undefined) return;
    const { rate, length } = this.#options;
    const buffer = context.createBuffer(channels.length, end - begin, rate);
    channels.forEach((samples, channel) => buffer.copyToChannel(samples, channel));
    const node = context.createBufferSource();
    node.buffer = buffer;
    node.connect(context.destination);
    const soonest = context.currentTime + LEAD_SECONDS;
    let at = this.#anchor === undefined ? soonest : this.#anchor.time + (begin - this.#anchor.sample) / rate;
    // It came too late: the clock has stood still since the end of what there was.
    if (at < context.currentTime) at = soonest;
    if (this.#anchor === undefined || at === soonest) this.#anchor = { sample: begin, time: at };
    node.start(at);
    this.#nodes.add(node);
    node.onended = () => this.#ended(node, end === length);
    this.#scheduledEnd = end;
    this.#become('playing');
  }

  #ended(node: AudioBufferSourceNode, isLast: boolean): void {
    this.#nodes.delete(node);
    if (isLast) {
      this.#stop();
      this.#position = this.#options.length;
      this.#become('ended');
    } else if (this.#nodes.size === 0) this.#become('waiting');
  }

  /** Until less than enough is scheduled. */
  async #waitForNeed(signal: AbortSignal): Promise<void> {
    const ahead = this.#scheduledEnd / this.#options.rate - this.seconds;
    if (ahead < AHEAD_SECONDS) return;
    await new Promise<void>((resolve, reject) => {
      const abort = (): void => {
        clearTimeout(timer);
        reject(signal.reason as Error);
      };
      const timer = setTimeout(
        () => {
          signal.removeEventListener('abort', abort);
          resolve();
        },
        1000 * (ahead - AHEAD_SECONDS / 2),
      );
      signal.addEventListener('abort', abort, { once: true });
    });
  }

  #become(state: PlayState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#options.onState(state);
  }
}

/** At the sound's own rate where the machine can: blocks that are resampled one by one would not meet without a click. */
function createContext(sampleRate: number): AudioContext {
  try {
    return new AudioContext({ sampleRate });
  } catch {
    return new AudioContext();
  }
}
