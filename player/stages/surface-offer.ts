import type { SurfaceReply } from '../worker/methods.js';

/** Shows a surface in an element. */
export interface SurfaceScene {
  /** Gives back what the scene holds, its canvas included. */
  dispose(): void;
}

/** Makes a scene in an element, which it fills. */
export type SurfaceMaker = (host: HTMLElement, surface: SurfaceReply) => Promise<SurfaceScene>;

let maker: SurfaceMaker | undefined;

/** Has shapes shown by their surface, too: what `lgi/player/surface` does when it is imported. */
export function offerSurface(make: SurfaceMaker): void {
  maker = make;
}

/** What makes scenes, where a page has imported it. */
export function surfaceMaker(): SurfaceMaker | undefined {
  return maker;
}
