import type { PlaneView } from './plane-view.js';
import { movedView, zoomedView, type Pair } from './view.js';

/** What a step of the keyboard moves, as a part of what is seen. */
const KEY_PART = 0.15;

/** A step of zoom by keyboard, button or double click. */
export const ZOOM_STEP = 2;

/** Zoom of a wheel: so many CSS pixels of its turn double the scale. A notch of common mice has 100 to 120. */
const WHEEL_PX_PER_DOUBLING = 240;

/** CSS pixels of a line and a page, in which some wheels tell their turns. */
const WHEEL_UNITS_PX = [1, 16, 400];

/** What dragging does. */
export interface DragHandling {
  /** Whether a drag with one pointer draws a rectangle instead of moving the picture. */
  readonly isSelecting: () => boolean;
  /** A rectangle is being drawn, by its corners in device pixels of the canvas. */
  readonly onSelect: (from: Pair, to: Pair, isDone: boolean) => void;
}

/** Moves and zooms a plane's view by pointers, wheel and keyboard; returns what ends that. */
export function addGestures(view: PlaneView, handling: DragHandling): () => void {
  const { canvas } = view;
  const listeners = new AbortController();
  const { signal } = listeners;
  const pointers = new Map<number, Pair>();
  let selectFrom: Pair | undefined;

  const pointOf = (event: MouseEvent): Pair => {
    const box = canvas.getBoundingClientRect();
    return [
      ((event.clientY - box.top) * canvas.height) / box.height,
      ((event.clientX - box.left) * canvas.width) / box.width,
    ];
  };
  const zoom = (factor: number, at: Pair): void => view.look(zoomedView(view.view, factor, at, view.size));

  canvas.addEventListener(
    'pointerdown',
    (event) => {
      if (event.button !== 0) return;
      canvas.setPointerCapture(event.pointerId);
      const point = pointOf(event);
      pointers.set(event.pointerId, point);
      if (handling.isSelecting() && pointers.size === 1) selectFrom = point;
    },
    { signal },
  );
  canvas.addEventListener(
    'pointermove',
    (event) => {
      const before = pointers.get(event.pointerId);
      if (before === undefined) return;
      const now = pointOf(event);
      const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
      pointers.set(event.pointerId, now);
      if (selectFrom !== undefined) {
        handling.onSelect(selectFrom, now, false);
        return;
      }
      if (other === undefined) {
        view.look(movedView(view.view, [now[0] - before[0], now[1] - before[1]]));
        return;
      }
      // Of two fingers, each moves the picture by half and zooms about the place between them.
      const distance = (point: Pair): number => Math.hypot(point[0] - other[0], point[1] - other[1]);
      const middle: Pair = [(now[0] + other[0]) / 2, (now[1] + other[1]) / 2];
      const moved = movedView(view.view, [(now[0] - before[0]) / 2, (now[1] - before[1]) / 2]);
      view.look(zoomedView(moved, distance(now) / Math.max(1, distance(before)), middle, view.size));
    },
    { signal },
  );
  const release = (event: PointerEvent): void => {
    if (!pointers.delete(event.pointerId) || selectFrom === undefined) return;
    handling.onSelect(selectFrom, pointOf(event), true);
    selectFrom = undefined;
  };
  canvas.addEventListener('pointerup', release, { signal });
  canvas.addEventListener('pointercancel', release, { signal });
  canvas.addEventListener('dblclick', (event) => zoom(ZOOM_STEP, pointOf(event)), { signal });
  canvas.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      const turn = event.deltaY * WHEEL_UNITS_PX[event.deltaMode];
      // Pinching on a touchpad comes as turns with the control key, which are ten times smaller.
      zoom(2 ** (-(turn * (event.ctrlKey ? 10 : 1)) / WHEEL_PX_PER_DOUBLING), pointOf(event));
    },
    { signal, passive: false },
  );
  canvas.addEventListener(
    'keydown',
    (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      if (!pressKey(view, event.key)) return;
      event.preventDefault();
    },
    { signal },
  );
  return () => listeners.abort();
}

/** What a key does to a view; whether it does anything. */
function pressKey(view: PlaneView, key: string): boolean {
  const { size } = view;
  const middle: Pair = [size[0] / 2, size[1] / 2];
  const move = (v: number, u: number): void =>
    view.look(movedView(view.view, [v * KEY_PART * size[0], u * KEY_PART * size[1]]));
  const actions: Readonly<Record<string, () => void>> = {
    ArrowUp: () => move(1, 0),
    ArrowDown: () => move(-1, 0),
    ArrowLeft: () => move(0, 1),
    ArrowRight: () => move(0, -1),
    '+': () => view.look(zoomedView(view.view, ZOOM_STEP, middle, size)),
    '=': () => view.look(zoomedView(view.view, ZOOM_STEP, middle, size)),
    '-': () => view.look(zoomedView(view.view, 1 / ZOOM_STEP, middle, size)),
    '0': () => view.fit(),
    '1': () => view.look({ ...view.view, scale: 1 }),
  };
  const action = Object.hasOwn(actions, key) ? actions[key] : undefined;
  action?.();
  return action !== undefined;
}
