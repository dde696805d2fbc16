/** Red, green and blue, 0 to 255. */
export type Ink = readonly [red: number, green: number, blue: number];

/** A rectangle in pixels; sides may lie between pixels. */
export interface Area {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** How much of the pixel with this centre is covered, 0 to 1. */
export type Coverage = (x: number, y: number) => number;

/** An 8-bit RGB picture that shapes are painted on; every shape is a coverage, so that all edges are smooth. */
export class Canvas {
  /** u8 [height, width, 3], row-major. */
  readonly data: Uint8Array;

  constructor(
    readonly width: number,
    readonly height: number,
    ground: Ink,
  ) {
    this.data = new Uint8Array(width * height * 3);
    for (let at = 0; at < this.data.length; at += 3) this.data.set(ground, at);
  }

  /** Mixes an ink into the pixels of an area, by coverage times opacity. */
  paint({ left, top, width, height }: Area, ink: Ink, coverage: Coverage, opacity = 1): void {
    const right = Math.min(this.width, Math.ceil(left + width));
    const bottom = Math.min(this.height, Math.ceil(top + height));
    for (let row = Math.max(0, Math.floor(top)); row < bottom; row++) {
      for (let column = Math.max(0, Math.floor(left)); column < right; column++) {
        const share = opacity * coverage(column + 0.5, row + 0.5);
        if (share <= 0) continue;
        const at = (row * this.width + column) * 3;
        for (let c = 0; c < 3; c++) this.data[at + c] += Math.round((ink[c] - this.data[at + c]) * share);
      }
    }
  }

  /** A filled rectangle. */
  rectangle(area: Area, ink: Ink, opacity = 1): void {
    const { left, top, width, height } = area;
    const within = (at: number, begin: number, length: number): number =>
      clamp(Math.min(at + 0.5, begin + length) - Math.max(at - 0.5, begin));
    this.paint(area, ink, (x, y) => within(x, left, width) * within(y, top, height), opacity);
  }

  /** The border of a rectangle, drawn inside it. */
  frame({ left, top, width, height }: Area, thickness: number, ink: Ink, opacity = 1): void {
    this.rectangle({ left, top, width, height: thickness }, ink, opacity);
    this.rectangle({ left, top: top + height - thickness, width, height: thickness }, ink, opacity);
    const middle = { top: top + thickness, width: thickness, height: height - 2 * thickness };
    this.rectangle({ ...middle, left }, ink, opacity);
    this.rectangle({ ...middle, left: left + width - thickness }, ink, opacity);
  }

  /** A band that flows from a span of one row to a span of another, bent like an S. */
  ribbon(
    from: { readonly left: number; readonly width: number; readonly y: number },
    to: { readonly left: number; readonly width: number; readonly y: number },
    ink: Ink,
    opacity: number,
  ): void {
    const left = Math.min(from.left, to.left);
    const right = Math.max(from.left + from.width, to.left + to.width);
    const area = { left, top: from.y, width: right - left, height: to.y - from.y };
    const between = (a: number, b: number, t: number): number => a + (b - a) * t * t * (3 - 2 * t);
    const coverage: Coverage = (x, y) => {
      const t = (y - from.y) / (to.y - from.y);
      const begin = between(from.left, to.left, t);
      const end = between(from.left + from.width, to.left + to.width, t);
      return clamp(Math.min(x + 0.5, end) - Math.max(x - 0.5, begin));
    };
    this.paint(area, ink, coverage, opacity);
  }

  /** A stroke of even thickness with round ends. */
  stroke(points: readonly (readonly [x: number, y: number])[], thickness: number, ink: Ink): void {
    const half = thickness / 2;
    const xs = points.map(([x]) => x);
    const ys = points.map(([, y]) => y);
    const [left, top] = [Math.min(...xs) - half - 1, Math.min(...ys) - half - 1];
    const area = {
      left,
      top,
      width: Math.max(...xs) + half + 1 - left,
      height: Math.max(...ys) + half + 1 - top,
    };
    this.paint(area, ink, (x, y) => clamp(half + 0.5 - distanceTo(points, x, y)));
  }

  /** Copies a grey or RGB picture, every pixel of it becoming a square of `enlarge` pixels. */
  image(
    left: number,
    top: number,
    picture: {
      readonly data: ArrayLike<number>;
      readonly shape: readonly number[];
      readonly channels: number;
    },
    enlarge = 1,
  ): void {
    const [height, width] = picture.shape;
    const { data, channels } = picture;
    for (let y = 0; y < height * enlarge; y++) {
      for (let x = 0; x < width * enlarge; x++) {
        const from = (Math.floor(y / enlarge) * width + Math.floor(x / enlarge)) * channels;
        const at = ((top + y) * this.width + left + x) * 3;
        for (let c = 0; c < 3; c++) this.data[at + c] = data[from + (channels < 3 ? 0 : c)];
      }
    }
  }
}

function clamp(value: number): number {
  return value < 0 ? 0 : value > 1 ? 1 : value;
}

/** Distance of a place from a chain of line segments. */
function distanceTo(points: readonly (readonly [number, number])[], x: number, y: number): number {
  let least = Infinity;
  for (let i = 0; i + 1 < points.length; i++) {
    const [[ax, ay], [bx, by]] = [points[i], points[i + 1]];
    const [dx, dy] = [bx - ax, by - ay];
    const t = clamp(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1));
    least = Math.min(least, Math.hypot(x - ax - t * dx, y - ay - t * dy));
  }
  return least;
}
