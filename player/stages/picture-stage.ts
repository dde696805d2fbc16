import { boxSize } from '../../codec/grid.js';
import { createButton } from '../interface/create-element.js';
import { ZOOM_STEP } from '../plane/gestures.js';
import { PlanePanel } from '../plane/plane-panel.js';
import type { PlaneView } from '../plane/plane-view.js';
import { visibleBox, zoomedView } from '../plane/view.js';
import type { Change, CropRequest, SignalDescription } from '../worker/methods.js';
import { changesOf } from './changes-of.js';
import type { Stage, StageContext } from './stage.js';

/** Buttons that zoom a panel. */
export function zoomControls(panel: PlanePanel): HTMLElement[] {
  const zoom = (factor: number): void => {
    const { view, size } = panel.view;
    panel.view.look(zoomedView(view, factor, [size[0] / 2, size[1] / 2], size));
  };
  return [
    createButton('Zoom out', '−', () => zoom(1 / ZOOM_STEP)),
    createButton('Show all', '⤢', () => panel.view.fit()),
    createButton('One pixel per sample', '1:1', () => panel.view.look({ ...panel.view.view, scale: 1 })),
    createButton('Zoom in', '+', () => zoom(ZOOM_STEP)),
  ];
}

/** A picture that can be moved and zoomed. */
export class PictureStage implements Stage {
  readonly element: HTMLElement;
  readonly controls: readonly HTMLElement[];
  readonly panel: PlanePanel;
  #signal: SignalDescription;

  constructor(signal: SignalDescription, context: StageContext) {
    this.#signal = signal;
    const [height, width] = signal.shape;
    this.panel = new PlanePanel(
      `Picture of ${width} by ${height} samples`,
      {
        maxBytes: context.maxBytes,
        load: (request, abort) => context.channel.call('plane', request, { signal: abort }),
        onDraw: context.onDraw,
        onFailed: context.onFailed,
        onDamaged: context.onDamaged,
        onViewChange: (view) => {
          const region = visibleBox(view, this.panel.view.shape, this.panel.view.size);
          if (region !== null) context.onViewChange({ region, scale: view.scale });
        },
      },
      context.onSelection,
    );
    this.element = this.panel.element;
    this.controls = zoomControls(this.panel);
    this.panel.view.show({ signal, axes: [0, 1], at: [0, 0] });
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
    return selection === undefined || boxSize(selection) === 0 ? undefined : { region: selection };
  }

  update(change: Change): boolean {
    const { signal, boxes, moved } = changesOf(change, this.#signal);
    this.#signal = signal;
    this.panel.view.replace(signal, boxes, moved);
    return true;
  }

  retry(): void {
    this.panel.view.retry();
  }

  dispose(): void {
    this.panel.dispose();
  }
}
