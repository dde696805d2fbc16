import {
  BufferAttribute,
  BufferGeometry,
  Color,
  DirectionalLight,
  HemisphereLight,
  Mesh,
  MeshStandardMaterial,
  PerspectiveCamera,
  Scene,
  WebGLRenderer,
} from 'three';
import { OrbitControls } from 'three/addons/controls/OrbitControls.js';
import { LgiError } from '../../codec/errors.js';
import type { SurfaceScene } from '../stages/surface-offer.js';
import type { SurfaceReply } from '../worker/methods.js';

/** Degrees from the top of the view to its bottom. */
const FIELD_OF_VIEW = 40;

/**
 * Shows a surface that can be turned, drawn anew only when something has changed.
 *
 * @throws LgiError `unavailable` where the browser has no WebGL.
 */
export function showSurface(host: HTMLElement, { positions, indices }: SurfaceReply): SurfaceScene {
  let renderer: WebGLRenderer;
  try {
    renderer = new WebGLRenderer({ antialias: true, alpha: true });
  } catch (cause) {
    throw new LgiError('unavailable', 'this browser has no WebGL, which surfaces need; look at slices', {
      cause,
    });
  }
  const canvas = renderer.domElement;
  canvas.tabIndex = 0;
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', `Surface of ${(indices.length / 3).toLocaleString()} triangles`);
  host.append(canvas);

  const geometry = new BufferGeometry();
  geometry.setAttribute('position', new BufferAttribute(positions, 3));
  geometry.setIndex(new BufferAttribute(indices, 1));
  geometry.computeVertexNormals();
  geometry.center();
  geometry.computeBoundingSphere();
  const material = new MeshStandardMaterial({ color: new Color(0xc9d3e0), roughness: 0.65, metalness: 0.05 });
  const scene = new Scene();
  const light = new DirectionalLight(0xffffff, 2.2);
  scene.add(new Mesh(geometry, material), new HemisphereLight(0xdfe8ff, 0x30343c, 1.4), light);

  const radius = geometry.boundingSphere?.radius ?? 1;
  const distance = (1.15 * radius) / Math.sin((FIELD_OF_VIEW / 2) * (Math.PI / 180));
  const camera = new PerspectiveCamera(FIELD_OF_VIEW, 1, distance / 100, distance * 10);
  camera.position.set(0.45 * distance, 0.3 * distance, 0.84 * distance);
  const controls = new OrbitControls(camera, canvas);
  controls.listenToKeyEvents(canvas);

  let frame = 0;
  const draw = (): void => {
    frame = 0;
    light.position.copy(camera.position);
    renderer.render(scene, camera);
  };
  const requestDraw = (): void => void (frame ||= requestAnimationFrame(draw));
  controls.addEventListener('change', requestDraw);
  const resizes = new ResizeObserver(() => {
    const { clientWidth, clientHeight } = host;
    renderer.setPixelRatio(globalThis.devicePixelRatio);
    renderer.setSize(clientWidth, clientHeight, false);
    camera.aspect = clientWidth / Math.max(1, clientHeight);
    camera.updateProjectionMatrix();
    draw();
  });
  resizes.observe(host);

  return {
    dispose: () => {
      cancelAnimationFrame(frame);
      resizes.disconnect();
      controls.dispose();
      geometry.dispose();
      material.dispose();
      renderer.dispose();
      canvas.remove();
    },
  };
}
