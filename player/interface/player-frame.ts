import { boxSize } from '../../codec/grid.js';
import type { Stage } from '../stages/stage.js';
import type { DecodingStatistics } from '../worker/methods.js';
import { createButton, createElement } from './create-element.js';
import { STYLES } from './styles.js';
import type { Words } from './words.js';

/** What the person does with the frame. */
export interface FrameActions {
  readonly onRetry: () => void;
  readonly onSelecting: (isSelecting: boolean) => void;
  readonly onDownload: () => void;
  readonly onDrop: (file: Blob) => void;
  readonly statistics: () => Promise<DecodingStatistics>;
}

/** How often the overlay of statistics is brought up to date. */
const STATISTICS_MS = 500;

/** What is around a stage: the bar of controls, messages, statistics, and the place where files are dropped. */
export class PlayerFrame {
  readonly #root: HTMLElement;
  readonly #place = createElement('div', { class: 'place' });
  readonly #bar = createElement('div', {
    class: 'bar',
    role: 'toolbar',
    'aria-label': 'Player',
    part: 'bar',
  });
  readonly #stageControls = createElement('div', { class: 'group' });
  readonly #message = createElement('div', { class: 'message', role: 'alert', hidden: '' });
  readonly #notice = createElement('div', { class: 'notice', role: 'status', hidden: '' });
  readonly #statistics = createElement('pre', {
    class: 'statistics',
    hidden: '',
    'aria-label': 'Statistics',
  });
  readonly #selecting: HTMLButtonElement;
  readonly #download: HTMLButtonElement;
  readonly #actions: FrameActions;
  #firstPictureMs: number | undefined;
  #statisticsTimer: ReturnType<typeof setInterval> | undefined;
  #stage: Stage | undefined;

  constructor(host: HTMLElement | ShadowRoot, actions: FrameActions) {
    this.#actions = actions;
    this.#selecting = createButton('Select a part', '⬚', () => this.#toggleSelecting());
    this.#selecting.setAttribute('aria-pressed', 'false');
    this.#download = createButton('Download as LGI', '⤓', actions.onDownload);
    const open = createButton('Open a file', 'Open', () => this.#chooseFile());
    open.classList.add('open');
    const statistics = createButton('Statistics', 'i', () => this.#toggleStatistics(statistics));
    statistics.setAttribute('aria-pressed', 'false');
    this.#bar.append(
      this.#stageControls,
      createElement('span', { class: 'gap' }),
      open,
      this.#selecting,
      this.#download,
      statistics,
    );
    this.#root = createElement(
      'div',
      { class: 'player', 'data-state': 'empty' },
      this.#place,
      this.#statistics,
      this.#notice,
      this.#message,
      this.#bar,
    );
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLES);
    const root = host.getRootNode() as Document | ShadowRoot;
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
    host.append(this.#root);
    this.#acceptDrops();
  }

  /** `loading` until there is a picture, `failed` where there will be none. */
  set state(state: 'empty' | 'loading' | 'shown' | 'failed') {
    this.#root.dataset['state'] = state;
    this.#root.setAttribute('aria-busy', String(state === 'loading'));
  }

  /** What went wrong, with a button to try again; undefined: nothing. */
  set message(words: Words | undefined) {
    this.#message.hidden = words === undefined;
    this.#message.replaceChildren();
    if (words === undefined) return;
    const close = createButton('Close', '×', () => (this.message = undefined));
    const retry = createElement('button', { type: 'button', class: 'retry' }, 'Try again');
    retry.addEventListener('click', this.#actions.onRetry);
    this.#message.append(
      createElement('strong', {}, words.title),
      createElement('p', {}, words.detail),
      retry,
      close,
    );
  }

  /** A note that is no error. */
  set notice(text: string | undefined) {
    this.#notice.hidden = text === undefined;
    this.#notice.textContent = text ?? '';
  }

  /** From the request to open the file to its first picture. */
  set firstPictureMs(ms: number | undefined) {
    this.#firstPictureMs = ms;
  }

  /** Whether there is a selection that a download would be of. */
  set hasSelection(hasSelection: boolean) {
    const label = hasSelection ? 'Download the selected part as LGI' : 'Download as LGI';
    this.#download.setAttribute('aria-label', label);
    this.#download.title = label;
  }

  /** Puts a stage in the place of the one before. */
  show(stage: Stage): void {
    this.#stage = stage;
    this.#place.replaceChildren(stage.element);
    this.#stageControls.replaceChildren(...stage.controls);
    this.#selecting.setAttribute('aria-pressed', 'false');
    this.hasSelection = false;
  }

  /** Gives a file to the person. */
  download(file: Blob, name: string): void {
    const href = URL.createObjectURL(file);
    createElement('a', { href, download: name }).click();
    // The browser has begun to read it by then.
    setTimeout(() => URL.revokeObjectURL(href), 60_000);
  }

  dispose(): void {
    clearInterval(this.#statisticsTimer);
    this.#root.remove();
  }

  /** What dropping does, for those who do not drop. */
  #chooseFile(): void {
    const input = createElement('input', { type: 'file', accept: '.lgi,image/*' });
    input.addEventListener('change', () => {
      const file = input.files?.[0];
      if (file !== undefined) this.#actions.onDrop(file);
    });
    input.click();
  }

  #toggleSelecting(): void {
    const isSelecting = this.#selecting.getAttribute('aria-pressed') !== 'true';
    this.#selecting.setAttribute('aria-pressed', String(isSelecting));
    this.#actions.onSelecting(isSelecting);
  }

  #toggleStatistics(button: HTMLButtonElement): void {
    const isShown = this.#statistics.hidden;
    this.#statistics.hidden = !isShown;
    button.setAttribute('aria-pressed', String(isShown));
    clearInterval(this.#statisticsTimer);
    if (!isShown) return;
    const update = (): void =>
      void this.#actions.statistics().then(
        (statistics) => (this.#statistics.textContent = this.#statisticsText(statistics)),
        () => undefined,
      );
    update();
    this.#statisticsTimer = setInterval(update, STATISTICS_MS);
  }

  #statisticsText(statistics: DecodingStatistics): string {
    const { requests, bytesFetched, bytesUsed, partitionsDecoded, decodeMs } = statistics;
    const signal = this.#stage?.signal;
    const samples =
      signal === undefined ? 0 : boxSize({ begin: signal.shape.map(() => 0), end: signal.shape });
    const lines: (readonly [string, string])[] = [
      ['samples', samples.toLocaleString()],
      [
        'first seen',
        this.#firstPictureMs === undefined ? 'not yet' : `after ${Math.round(this.#firstPictureMs)} ms`,
      ],
      ['requests', requests.toLocaleString()],
      ['fetched', `${bytesFetched.toLocaleString()} bytes`],
      ['used', `${bytesUsed.toLocaleString()} bytes`],
      ['partitions', partitionsDecoded.toLocaleString()],
      ['decoding', `${Math.round(decodeMs).toLocaleString()} ms`],
    ];
    return lines.map(([name, value]) => `${name.padEnd(11)}${value}`).join('\n');
  }

  #acceptDrops(): void {
    this.#root.addEventListener('dragover', (event) => {
      event.preventDefault();
      this.#root.classList.add('dropping');
    });
    this.#root.addEventListener('dragleave', () => this.#root.classList.remove('dropping'));
    this.#root.addEventListener('drop', (event) => {
      event.preventDefault();
      this.#root.classList.remove('dropping');
      const file = event.dataTransfer?.files[0];
      if (file !== undefined) this.#actions.onDrop(file);
    });
  }
}
