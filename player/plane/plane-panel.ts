import type { Box } from '../../codec/grid.js';
import { createElement } from '../interface/create-element.js';
import { addGestures } from './gestures.js';
import { PlaneView, type PlaneViewOptions } from './plane-view.js';
import { originOf, placeAt, type Pair } from './view.js';

/** A plane's view with what is drawn over it: a rectangle that the person selects. */
export class PlanePanel {
  readonly element: HTMLElement;
  readonly view: PlaneView;
  /** What is seen through holes; only where the plane is. */
  readonly #paper = createElement('div', { class: 'paper' });
  readonly #rectangle = createElement('div', { class: 'selection', hidden: '' });
  readonly #endGestures: () => void;
  #isSelecting = false;
  /** In samples of the plane, `[v, u]`. */
  #selection: Box | undefined;
  readonly #onSelection: () => void;

  /**
   * @param label what the canvas is called by screen readers.
   * @param onSelection the selection is another, or none.
   */
  constructor(label: string, options: PlaneViewOptions, onSelection: () => void) {
    const canvas = createElement('canvas', {
      tabindex: '0',
      role: 'img',
      'aria-label': label,
      part: 'canvas',
    });
    this.element = createElement('div', { class: 'plane' }, this.#paper, canvas, this.#rectangle);
    this.#onSelection = onSelection;
    this.view = new PlaneView(canvas, {
      ...options,
      onViewChange: (view) => {
        this.#placeRectangle();
        options.onViewChange(view);
      },
    });
    this.#endGestures = addGestures(this.view, {
      isSelecting: () => this.#isSelecting,
      onSelect: (from, to, isDone) => this.#select(from, to, isDone),
    });
  }

  /** Whether dragging selects instead of moving. */
  get isSelecting(): boolean {
    return this.#isSelecting;
  }

  set isSelecting(isSelecting: boolean) {
    this.#isSelecting = isSelecting;
    this.element.classList.toggle('selecting', isSelecting);
    if (!isSelecting) this.selection = undefined;
  }

  /** What is selected, in whole samples of the plane. */
  get selection(): Box | undefined {
    return this.#selection;
  }

  set selection(selection: Box | undefined) {
    this.#selection = selection;
    this.#placeRectangle();
    this.#onSelection();
  }

  dispose(): void {
    this.#endGestures();
    this.view.dispose();
  }

  #select(from: Pair, to: Pair, isDone: boolean): void {
    const { view, size, shape } = this.view;
    const corners = [placeAt(view, from, size), placeAt(view, to, size)];
    const begin = [0, 1].map((axis) => Math.max(0, Math.floor(Math.min(corners[0][axis], corners[1][axis]))));
    const end = [0, 1].map((axis) =>
      Math.min(shape[axis], Math.ceil(Math.max(corners[0][axis], corners[1][axis]))),
    );
    const isEmpty = begin.some((at, axis) => at >= end[axis]);
    this.#selection = isEmpty ? undefined : { begin, end };
    this.#placeRectangle();
    if (isDone) this.#onSelection();
  }

  #placeRectangle(): void {
    const { shape } = this.view;
    this.#place(this.#paper, { begin: [0, 0], end: shape });
    this.#rectangle.hidden = this.#selection === undefined;
    if (this.#selection !== undefined) this.#place(this.#rectangle, this.#selection);
  }

  /** Puts an element where samples of the plane are, in parts of the canvas. */
  #place({ style }: HTMLElement, { begin, end }: Box): void {
    const { view, size } = this.view;
    const origin = originOf(view, size);
    const part = (axis: 0 | 1, px: number): string => `${(100 * px) / Math.max(1, size[axis])}%`;
    style.top = part(0, origin[0] + begin[0] * view.scale);
    style.left = part(1, origin[1] + begin[1] * view.scale);
    style.height = part(0, (end[0] - begin[0]) * view.scale);
    style.width = part(1, (end[1] - begin[1]) * view.scale);
  }
}
