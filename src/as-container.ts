import { Container, openContainer } from './container/reader.js';
import { asSource, type Openable } from './io/as-source.js';
import type { LgiFile } from './open.js';

/** What chunks are copied from: a file as any function of this library gives or takes it. */
export type Copyable = LgiFile | Container | Openable;

/**
 * A file as its parts, opened where it is not.
 *
 * @throws LgiError as {@link openContainer}.
 */
export function asContainer(from: Copyable, signal?: AbortSignal): Promise<Container> | Container {
  if (from instanceof Container) return from;
  // By its part, not its class, whose module would load an engine that copying never needs.
  if (typeof from === 'object' && from !== null && 'container' in from) return from.container;
  return openContainer(asSource(from), { signal });
}
