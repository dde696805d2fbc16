import type { Box } from '../../codec/grid.js';
import { createElement } from '../interface/create-element.js';
import { addGestures } from './gestures.js';
import { PlaneView, type PlaneViewOptions } from './plane-view.js';
import { originOf, placeAt, type Pair } from './view.js';

/** A plane's view with what is drawn over it: a rectangle that the person selects. */
export class PlanePanel {
  readonly element: HTMLElement;
  readonly view: PlaneView;
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
    this.element = createElement('div', { class: 'plane' }, canvas, this.#rectangle);
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
    this.#rectangle.hidden = this.#selection === undefined;
    if (this.#selection === undefined) return;
    const { view, size, canvas } = this.view;
    const origin = originOf(view, size);
    const { begin, end } = this.#selection;
    const { style } = this.#rectangle;
    const part = (axis: 0 | 1, place: number): string =>
      `${(100 * (origin[axis] + place * view.scale)) / (axis === 0 ? canvas.height : canvas.width)}%`;
    const length = (axis: 0 | 1): string =>
      `${(100 * (end[axis] - begin[axis]) * view.scale) / (axis === 0 ? canvas.height : canvas.width)}%`;
    [style.top, style.left, style.height, style.width] = [
      part(0, begin[0]),
      part(1, begin[1]),
      length(0),
      length(1),
    ];
  }
}
