import { createButton, createElement } from '../interface/create-element.js';
import { PlanePanel } from '../plane/plane-panel.js';
import type { PlaneView } from '../plane/plane-view.js';
import { visibleBox } from '../plane/view.js';
import type { Change, CropRequest, SignalDescription } from '../worker/methods.js';
import { changesOf } from './changes-of.js';
import { zoomControls } from './picture-stage.js';
import type { Stage, StageContext } from './stage.js';
import { surfaceMaker, type SurfaceScene } from './surface-offer.js';

/** Planes through three axes: across which axis, and which of the others stand upright and lie. */
const PLANES = [
  { across: 0, axes: [1, 2], label: 'across z' },
  { across: 1, axes: [0, 2], label: 'across y' },
  { across: 2, axes: [0, 1], label: 'across x' },
] as const;

/** Slices beside the one in view that are loaded ahead. */
const AHEAD_SLICES = 2;

/** Samples of the longest side that a surface is made from: 2 million at most, a second's work. */
const SURFACE_SIDE = 128;

/** A volume or shape by slices across any of its axes. */
export class SliceStage implements Stage {
  readonly element: HTMLElement;
  readonly controls: readonly HTMLElement[];
  readonly panel: PlanePanel;
  #signal: SignalDescription;
  #plane: (typeof PLANES)[number] = PLANES[0];
  /** The slice on each axis. */
  readonly #at: number[];
  readonly #slider = createElement('input', { type: 'range', min: '0', step: '1', 'aria-label': 'Slice' });
  readonly #number = createElement('output', {});
  readonly #context: StageContext;
  readonly #surfaceHost = createElement('div', { class: 'surface', hidden: '' });
  #surface: SurfaceScene | undefined;
  #loadingSurface: AbortController | undefined;

  constructor(signal: SignalDescription, context: StageContext) {
    this.#signal = signal;
    this.#context = context;
    this.#at = signal.shape.map((length) => Math.floor(length / 2));
    this.panel = new PlanePanel(
      `Slices of a ${signal.kind} of ${signal.shape.join(' by ')} samples`,
      {
        maxBytes: context.maxBytes,
        load: (request, abort) => context.channel.call('plane', request, { signal: abort }),
        onDraw: context.onDraw,
        onFailed: context.onFailed,
        onDamaged: context.onDamaged,
        onViewChange: (view) => {
          const seen = visibleBox(view, this.panel.view.shape, this.panel.view.size);
          if (seen !== null) context.onViewChange({ region: this.#regionOf(seen), scale: view.scale });
        },
      },
      context.onSelection,
    );
    this.element = createElement('div', {}, this.panel.element, this.#surfaceHost);
    const planes = createElement('select', { 'aria-label': 'Plane' });
    for (const { label } of PLANES) planes.append(createElement('option', {}, label));
    planes.addEventListener('change', () => {
      this.#plane = PLANES[planes.selectedIndex];
      this.panel.selection = undefined;
      this.#show();
    });
    this.#slider.addEventListener('input', () => {
      this.#at[this.#plane.across] = Number(this.#slider.value);
      this.#show();
    });
    this.panel.view.canvas.addEventListener('keydown', (event) => {
      const steps: Readonly<Record<string, number>> = { PageUp: 1, PageDown: -1 };
      if (!Object.hasOwn(steps, event.key)) return;
      event.preventDefault();
      this.look(this.#at[this.#plane.across] + steps[event.key]);
    });
    this.controls = [
      ...zoomControls(this.panel),
      planes,
      this.#slider,
      this.#number,
      ...this.#surfaceControls(),
    ];
    this.#show();
  }

  get view(): PlaneView {
    return this.panel.view;
  }

  get signal(): SignalDescription {
    return this.#signal;
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
    // All slices of what is selected on one of them.
    const { across } = this.#plane;
    const region = this.#regionOf(selection);
    return {
      region: {
        begin: region.begin.map((at, axis) => (axis === across ? 0 : at)),
        end: region.end.map((at, axis) => (axis === across ? this.#signal.shape[axis] : at)),
      },
    };
  }

  /** Shows another slice of the plane, the nearest that there is. */
  look(slice: number): void {
    const { across } = this.#plane;
    this.#at[across] = Math.max(0, Math.min(slice, this.#signal.shape[across] - 1));
    this.#show();
  }

  update(change: Change): boolean {
    const { signal, boxes, moved } = changesOf(change, this.#signal);
    this.#signal = signal;
    moved.forEach((step, axis) => (this.#at[axis] += step));
    this.panel.view.replace(signal, boxes, moved);
    this.#show();
    return true;
  }

  retry(): void {
    this.panel.view.retry();
  }

  dispose(): void {
    this.#hideSurface();
    this.panel.dispose();
  }

  /** A button for the surface, where the page has what shows one and the signal is a shape. */
  #surfaceControls(): HTMLElement[] {
    if (this.#signal.kind !== 'shape' || surfaceMaker() === undefined) return [];
    const button = createButton('Surface', '◈', () => {
      const isShown = button.getAttribute('aria-pressed') === 'true';
      button.setAttribute('aria-pressed', String(!isShown));
      if (isShown) this.#hideSurface();
      else void this.showSurface();
    });
    button.setAttribute('aria-pressed', 'false');
    return [button];
  }

  /** Shows the surface instead of slices; a failure is told to the person. */
  async showSurface(): Promise<void> {
    const make = surfaceMaker();
    if (make === undefined) return;
    this.#hideSurface();
    const loading = new AbortController();
    this.#loadingSurface = loading;
    this.#context.onNotice('Making the surface');
    try {
      const request = { signalIndex: this.#signal.signalIndex, mostSide: SURFACE_SIDE };
      const mesh = await this.#context.channel.call('surface', request, { signal: loading.signal });
      this.#surfaceHost.hidden = false;
      const scene = await make(this.#surfaceHost, mesh);
      if (loading.signal.aborted) scene.dispose();
      else this.#surface = scene;
    } catch (error) {
      if (!loading.signal.aborted) this.#context.onFailed(error as Error);
    } finally {
      this.#context.onNotice(undefined);
    }
  }

  #hideSurface(): void {
    this.#loadingSurface?.abort(new DOMException('not wanted any more', 'AbortError'));
    this.#surface?.dispose();
    this.#surface = undefined;
    this.#surfaceHost.hidden = true;
  }

  #regionOf({ begin, end }: { readonly begin: readonly number[]; readonly end: readonly number[] }): {
    begin: number[];
    end: number[];
  } {
    const { axes, across } = this.#plane;
    const from = [...this.#at];
    const to = this.#at.map((at) => at + 1);
    axes.forEach((axis, i) => {
      from[axis] = begin[i];
      to[axis] = end[i];
    });
    from[across] = this.#at[across];
    return { begin: from, end: to };
  }

  #show(): void {
    const { across, axes } = this.#plane;
    const last = this.#signal.shape[across] - 1;
    const at = this.#at[across];
    this.#slider.max = String(last);
    this.#slider.value = String(at);
    this.#number.textContent = `${at} of ${last}`;
    const beside = Array.from({ length: 2 * AHEAD_SLICES }, (_, i) =>
      i % 2 === 0 ? at + 1 + i / 2 : at - (i + 1) / 2,
    ).filter((slice) => slice >= 0 && slice <= last);
    this.panel.view.show(
      { signal: this.#signal, axes, at: [...this.#at] },
      beside.map((slice) => ({
        at: this.#at.map((place, axis) => (axis === across ? slice : place)),
        count: 1,
      })),
    );
  }
}
