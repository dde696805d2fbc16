// `lgi/player/surface`: shapes by their surface, with three.js, which is loaded when a surface is first shown.
import { offerSurface } from '../stages/surface-offer.js';

offerSurface(async (host, surface) => (await import('./surface-scene.js')).showSurface(host, surface));
