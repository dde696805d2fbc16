import { createElement } from './interface/create-element.js';
import type { PlayerEvents } from './events.js';
import { LgiPlayer } from './player.js';
import type { PlayerOptions } from './player-options.js';

/** Attributes by which a player is made; one of them changed, a new one is. */
const PLAYER_ATTRIBUTES = ['worker-url', 'wasm-url', 'threads', 'memory-budget'];

/** Events of the player that the element passes on. */
const EVENTS = [
  'open',
  'firstpicture',
  'progress',
  'viewchange',
  'change',
  'playing',
  'frame',
  'error',
] as const satisfies readonly (keyof PlayerEvents)[];

/** Seconds between two looks for growth, where `live` says no number. */
const DEFAULT_LIVE_SECONDS = 2;

/**
 * `<lgi-player src="picture.lgi">`: an {@link LgiPlayer} as an element of a page. Events are the player's own.
 *
 * Attributes: `src`; `poster`, a picture until the first of the file is there; `live`, to follow a file that grows, with a number of
 * seconds between two looks; `worker-url`, `wasm-url`, `threads` and `memory-budget` (bytes) as {@link PlayerOptions}. Its content is
 * shown where the browser has no custom elements or lacks what the player needs.
 */
export class LgiPlayerElement extends HTMLElement {
  static readonly observedAttributes = ['src', 'poster', 'live', ...PLAYER_ATTRIBUTES];
  readonly #root: ShadowRoot;
  #poster: HTMLImageElement | undefined;
  #player: LgiPlayer | undefined;

  constructor() {
    super();
    this.#root = this.attachShadow({ mode: 'open' });
  }

  /** What does the work; undefined while the element is not in a page, or where the browser lacks what it needs. */
  get player(): LgiPlayer | undefined {
    return this.#player;
  }

  get src(): string | null {
    return this.getAttribute('src');
  }

  set src(src: string | null) {
    if (src === null) this.removeAttribute('src');
    else this.setAttribute('src', src);
  }

  connectedCallback(): void {
    if (this.#player !== undefined) return;
    if (typeof Worker === 'undefined' || typeof WebAssembly === 'undefined') {
      this.#root.replaceChildren(createElement('slot'));
      return;
    }
    this.#player = new LgiPlayer(this.#root, this.#options());
    for (const name of EVENTS) {
      this.#player.addEventListener(name, ((event: CustomEvent) => {
        if (name === 'firstpicture' && this.#poster) this.#poster.hidden = true;
        this.dispatchEvent(new CustomEvent(name, { detail: event.detail as unknown }));
      }) as EventListener);
    }
    this.#showPoster();
    this.#follow();
    this.#open();
  }

  disconnectedCallback(): void {
    this.#player?.dispose();
    this.#player = undefined;
    this.#root.replaceChildren();
  }

  attributeChangedCallback(name: string, before: string | null, now: string | null): void {
    if (this.#player === undefined || before === now) return;
    if (name === 'src') this.#open();
    else if (name === 'live') this.#follow();
    else if (name === 'poster') this.#showPoster();
    else {
      this.disconnectedCallback();
      this.connectedCallback();
    }
  }

  #options(): PlayerOptions {
    const text = (name: string): string | undefined => this.getAttribute(name) ?? undefined;
    const [workerUrl, wasmUrl, threads, memory] = PLAYER_ATTRIBUTES.map(text);
    return {
      ...(workerUrl !== undefined && { workerUrl }),
      ...(wasmUrl !== undefined && { wasmUrl }),
      ...(threads !== undefined && { threads: Number(threads) }),
      ...(memory !== undefined && { memoryBudgetBytes: Number(memory) }),
    };
  }

  #open(): void {
    const { src } = this;
    // The person is told, and an event tells the page.
    if (src !== null) void this.#player?.open(src).catch(() => undefined);
  }

  #follow(): void {
    if (this.#player === undefined) return;
    const live = this.getAttribute('live');
    this.#player.liveSeconds = live === null ? undefined : Number(live) || DEFAULT_LIVE_SECONDS;
  }

  #showPoster(): void {
    const poster = this.getAttribute('poster');
    this.#poster?.remove();
    this.#poster = undefined;
    if (poster === null) return;
    this.#poster = createElement('img', { class: 'poster', alt: '', src: poster });
    this.#root.append(this.#poster);
  }
}
