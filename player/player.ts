import type { Box } from '../codec/grid.js';
import { OptionError, LgiError } from '../codec/errors.js';
import { startWorker } from '../codec/engine/cpu/start-worker-web.js';
import type { PlayerEvents, PlayerListener } from './events.js';
import { PlayerEventTarget } from './events.js';
import { PlayerFrame } from './interface/player-frame.js';
import { wordsOf } from './interface/words.js';
import type { PlayerOptions } from './player-options.js';
import type { View } from './plane/view.js';
import type { PlayState } from './playback/clock.js';
import { takeDropped } from './take-dropped.js';
import { createStage } from './stages/create-stage.js';
import type { Stage } from './stages/stage.js';
import type {
  Change,
  CropReply,
  CropRequest,
  DamagedPartition,
  DecodingStatistics,
  EncodeProgress,
  EncodeReply,
  EncodeRequest,
  FileDescription,
  FilePlace,
} from './worker/methods.js';
import { WorkerChannel } from './worker/worker-channel.js';

const DEFAULT_MEMORY_BYTES = 1 << 28;
const LEAST_MEMORY_BYTES = 1 << 24;

/** After a file was replaced, another one is opened at once; if that is replaced within this time, the person decides. */
const REPLACED_AGAIN_MS = 10_000;

/** Where a file is, for {@link LgiPlayer.open}. */
export interface OpenPlace {
  /** Of its requests, besides those that reading needs. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Shows LGI files in an element of a page: reads and decodes in a worker what is in view, and has the controls.
 *
 * Events are {@link PlayerEvents}. Everything it holds, the worker included, is given back by {@link dispose}.
 */
export class LgiPlayer extends PlayerEventTarget {
  readonly #channel: WorkerChannel;
  readonly #frame: PlayerFrame;
  readonly #memoryBytes: number;
  #place: FilePlace | undefined;
  #file: FileDescription | undefined;
  #stage: Stage | undefined;
  /** Of the file that is being opened. */
  #opening: AbortController | undefined;
  #openedMs = 0;
  #hasPicture = false;
  /** The message of the error that was told last, until a file is opened again. */
  #told: string | undefined;
  #replacedMs = -Infinity;
  #liveTimer: ReturnType<typeof setInterval> | undefined;
  #isRefreshing = false;
  #isDisposed = false;

  /**
   * @param host what the player fills; its former content stays beside it.
   * @throws OptionError for options out of range.
   */
  constructor(host: HTMLElement | ShadowRoot, options: PlayerOptions = {}) {
    super();
    const memoryBytes = options.memoryBudgetBytes ?? DEFAULT_MEMORY_BYTES;
    if (!(memoryBytes >= LEAST_MEMORY_BYTES)) {
      throw new OptionError('memoryBudgetBytes', `${memoryBytes} is less than ${LEAST_MEMORY_BYTES}`);
    }
    this.#memoryBytes = memoryBytes / 2;
    this.#channel = new WorkerChannel(startDecoding(options.workerUrl));
    const wasm = options.wasmUrl === undefined ? undefined : new URL(options.wasmUrl, document.baseURI).href;
    void this.#channel
      .call('start', {
        cacheBytes: memoryBytes / 2,
        ...(wasm !== undefined && { wasmFolder: wasm.endsWith('/') ? wasm : `${wasm}/` }),
        ...(options.threads !== undefined && { threads: options.threads }),
      })
      .catch((error: unknown) => this.#fail(error as Error));
    this.#frame = new PlayerFrame(host, {
      onRetry: () => void this.retry(),
      onSelecting: (isSelecting) => {
        if (this.#stage !== undefined) this.#stage.isSelecting = isSelecting;
      },
      onDownload: () => void this.#download(),
      onDrop: (blob) => void this.drop(blob),
      statistics: () => this.statistics(),
    });
    this.liveSeconds = options.liveSeconds;
  }

  /** The file that is shown. */
  get file(): FileDescription | undefined {
    return this.#file;
  }

  /** What shows it; undefined before a file was opened. */
  get stage(): Stage | undefined {
    return this.#stage;
  }

  /** What of a picture, slice or frame is seen; undefined where there is none. */
  get view(): View | undefined {
    return this.#stage?.view?.view;
  }

  /** Shows another part of a picture, slice or frame, or the nearest to it that there is. */
  look(view: View): void {
    this.#stage?.view?.look(view);
  }

  /** Shows all of it. */
  fit(): void {
    this.#stage?.view?.fit();
  }

  /** Where a sound or clip stands, in seconds from its begin; undefined for what has no time. */
  get seconds(): number | undefined {
    return this.#stage?.playback?.seconds;
  }

  /** Whether a sound or clip plays; undefined for what has no time. */
  get state(): PlayState | undefined {
    return this.#stage?.playback?.state;
  }

  /** Plays a sound or clip; browsers ask for a click of the person before the first sound. */
  play(): void {
    this.#stage?.playback?.play();
  }

  pause(): void {
    this.#stage?.playback?.pause();
  }

  /** @param seconds from the begin of the sound or clip. */
  seek(seconds: number): void {
    this.#stage?.playback?.seek(seconds);
  }

  /** Seconds between two looks for growth of the file; undefined: it is not looked for. */
  set liveSeconds(seconds: number | undefined) {
    clearInterval(this.#liveTimer);
    this.#liveTimer =
      seconds === undefined ? undefined : setInterval(() => void this.#followGrowth(), 1000 * seconds);
  }

  /**
   * Opens a file in the place of the one shown, which stays until the other is there.
   *
   * @param place a URL, relative to the page's where it is no whole one, or the file itself.
   * @throws LgiError as the SDK's `open`, told to the person as well.
   */
  async open(place: string | URL | Blob, { headers }: OpenPlace = {}): Promise<FileDescription> {
    this.#place =
      place instanceof Blob
        ? place
        : { url: new URL(place, document.baseURI).href, ...(headers && { headers }) };
    return this.#openPlace(false);
  }

  /** Tries again what has failed: opens the file anew, keeps what is seen, and loads what is missing. */
  async retry(): Promise<void> {
    if (this.#place === undefined) this.#stage?.retry();
    else await this.#openPlace(true).catch(() => undefined);
  }

  /** What reading and decoding have cost since the file was opened. */
  statistics(): Promise<DecodingStatistics> {
    return this.#channel.call('statistics', null);
  }

  /**
   * Cuts a crop out of the file as `lgi crop` does, from chunks alone: bytes of a file of its own.
   *
   * @throws OptionError and LgiError as the SDK's `crop`.
   */
  crop(
    part: { readonly region?: Box; readonly time?: CropRequest['time']; readonly signalIndex?: number } = {},
  ): Promise<CropReply> {
    const signalIndex = part.signalIndex ?? this.#stage?.signal.signalIndex ?? 0;
    return this.#channel.call('crop', { ...part, signalIndex });
  }

  /**
   * Joins the partitions of a file of the same family into what is seen. All of the file shown is read for it.
   *
   * @throws LgiError `conflict` where the files do not belong together.
   */
  async join(file: Blob): Promise<void> {
    await this.#takeChange(await this.#channel.call('join', file));
    // What is shown now is nowhere but here.
    this.#place = undefined;
  }

  /** Takes in what has been appended to the file since; whether there was anything. */
  async refresh(): Promise<boolean> {
    const change = await this.#channel.call('refresh', null);
    if (change !== null) await this.#takeChange(change);
    return change !== null;
  }

  /**
   * Encodes a picture in the page.
   *
   * @param image anything that a canvas draws: a picture's file, an image element, a bitmap.
   * @throws LgiError and OptionError as the SDK's `encode`; the signal's reason.
   */
  async encode(
    image: Blob | ImageBitmap,
    options: EncodeRequest['options'] & {
      readonly onProgress?: (progress: EncodeProgress) => void;
      readonly signal?: AbortSignal;
    } = {},
  ): Promise<EncodeReply> {
    const { onProgress, signal, ...training } = options;
    const { readPixels } = await import('./interface/read-pixels.js');
    const { rgba, shape } = await readPixels(image);
    return this.#channel.call(
      'encode',
      { rgba, shape, options: training },
      { transfer: [rgba.buffer], ...(onProgress && { onProgress }), ...(signal && { signal }) },
    );
  }

  /** What a dropped file does: an LGI file of this family is joined, another one is opened, a picture is encoded. */
  async drop(file: Blob): Promise<void> {
    try {
      await takeDropped(this, file, (text) => (this.#frame.notice = text));
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  override addEventListener<K extends keyof PlayerEvents>(
    type: K,
    listener: PlayerListener<K>,
    options?: AddEventListenerOptions,
  ): void;
  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: AddEventListenerOptions,
  ): void;
  override addEventListener(
    type: string,
    listener: ((event: never) => void) | EventListenerObject | null,
    options?: AddEventListenerOptions,
  ): void {
    super.addEventListener(type, listener as EventListener, options);
  }

  /** Ends the worker and takes everything off the page. */
  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.liveSeconds = undefined;
    this.#opening?.abort();
    this.#stage?.dispose();
    this.#frame.dispose();
    this.#channel.dispose();
  }

  /** @param keeps what is seen, where it still is the same file. */
  async #openPlace(keeps: boolean): Promise<FileDescription> {
    const place = this.#place;
    if (place === undefined) throw new LgiError('io', 'no file was given; open one');
    this.#opening?.abort(new DOMException('another file was opened', 'AbortError'));
    const opening = new AbortController();
    this.#opening = opening;
    this.#frame.state = this.#file === undefined ? 'loading' : 'shown';
    this.#openedMs = performance.now();
    this.#told = undefined;
    try {
      const file = await this.#channel.call('open', place, { signal: opening.signal });
      this.#frame.message = undefined;
      await this.#show(file, keeps, opening.signal);
      return file;
    } catch (error) {
      if (!opening.signal.aborted) this.#fail(error as Error);
      throw error;
    } finally {
      if (this.#opening === opening) this.#opening = undefined;
    }
  }

  async #show(file: FileDescription, keeps: boolean, signal: AbortSignal): Promise<void> {
    const isSame = keeps && this.#file?.fileId === file.fileId && this.#file.generation === file.generation;
    this.#file = file;
    if (isSame && this.#stage !== undefined) {
      this.#stage.retry();
      return;
    }
    const stage = await this.#createStage(file);
    if (signal.aborted) {
      stage.dispose();
      signal.throwIfAborted();
    }
    this.#hasPicture = false;
    this.#frame.firstPictureMs = undefined;
    this.#putStage(stage);
    this.emit('open', file);
  }

  #createStage(file: FileDescription): Promise<Stage> {
    return createStage(file, {
      channel: this.#channel,
      file,
      maxBytes: this.#memoryBytes,
      onDraw: (state) => this.#drawn(state),
      onViewChange: (detail) => this.emit('viewchange', detail),
      onFailed: (error) => this.#partFailed(error),
      onDamaged: (damaged) => this.#tellDamage(damaged),
      onNotice: (text) => (this.#frame.notice = text),
      onSelection: () => (this.#frame.hasSelection = this.#stage?.selection !== undefined),
      onPlaying: (detail) => this.emit('playing', detail),
      onFrame: (detail) => this.emit('frame', detail),
    });
  }

  #putStage(stage: Stage): void {
    const before = this.#stage;
    this.#stage = stage;
    this.#frame.show(stage);
    before?.dispose();
  }

  #drawn(state: PlayerEvents['progress']): void {
    this.emit('progress', state);
    if (this.#hasPicture || !state.isCovered) return;
    this.#hasPicture = true;
    this.#frame.state = 'shown';
    const ms = performance.now() - this.#openedMs;
    this.#frame.firstPictureMs = ms;
    void this.statistics().then(
      (statistics) => this.emit('firstpicture', { ms, ...statistics }),
      () => undefined,
    );
  }

  #partFailed(error: Error): void {
    // What is left for another file, or loaded again in a moment, is not worth a word.
    if (this.#opening !== undefined) return;
    const isReplaced = error instanceof LgiError && error.code === 'replaced';
    const now = performance.now();
    if (isReplaced && now - this.#replacedMs > REPLACED_AGAIN_MS) {
      this.#replacedMs = now;
      void this.retry();
      return;
    }
    this.#fail(error);
  }

  #tellDamage(damaged: readonly DamagedPartition[]): void {
    if (this.#opening !== undefined) return;
    const [first] = damaged;
    const others = damaged.length > 1 ? ` and ${damaged.length - 1} more` : '';
    this.#fail(new LgiError('damaged', `${first.message}${others}`, { section: first.section }));
  }

  #fail(error: Error): void {
    // One fault may fail many tiles: it is told once.
    if (this.#isDisposed || error.message === this.#told) return;
    this.#told = error.message;
    this.#frame.message = wordsOf(error);
    if (this.#file === undefined) this.#frame.state = 'failed';
    this.emit('error', { error });
  }

  async #takeChange(change: Change): Promise<void> {
    this.#file = change.file;
    if (this.#stage?.update(change) === false) await this.#renewStage(change.file);
    this.emit('change', { file: change.file, changed: change.changed });
  }

  /** A new stage that goes on where the one before was. */
  async #renewStage(file: FileDescription): Promise<void> {
    const { seconds, state } = this;
    this.#putStage(await this.#createStage(file));
    if (seconds !== undefined) this.seek(seconds);
    if (state === 'playing' || state === 'waiting') this.play();
  }

  async #followGrowth(): Promise<void> {
    if (this.#file === undefined || this.#isRefreshing) return;
    this.#isRefreshing = true;
    try {
      await this.refresh();
    } catch (error) {
      this.#partFailed(error as Error);
    } finally {
      this.#isRefreshing = false;
    }
  }

  async #download(): Promise<void> {
    try {
      const { bytes } = await this.crop(this.#stage?.selection ?? {});
      this.#frame.download(new Blob([bytes]), 'crop.lgi');
    } catch (error) {
      this.#fail(error as Error);
    }
  }
}

function startDecoding(url: string | URL | undefined): Worker {
  if (url !== undefined) {
    const own = new URL(url, document.baseURI);
    return startWorker(() => new Worker(own, { type: 'module' }), own);
  }
  // Bundlers look for these very words.
  return startWorker(
    () => new Worker(new URL('./lgi-decode-worker.js', import.meta.url), { type: 'module' }),
    new URL('./lgi-decode-worker.js', import.meta.url),
  );
}
