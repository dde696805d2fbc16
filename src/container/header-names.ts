import type { LocalCoordinates } from '../../codec/architecture.js';
import type { Coder } from '../../codec/coder/payload.js';
import type { WeightFormat } from '../../codec/quantiser.js';
import type { ChannelLayout, SampleType, SignalKind } from '../../codec/signal.js';
import type { SignalRole } from './header.js';

/** FlatBuffers' mark of a header. */
export const HEADER_IDENTIFIER = 'LGIH';

// Names by the number they have in the schema.
export const KINDS: readonly SignalKind[] = ['image', 'audio', 'video', 'volume', 'shape'];
export const ROLES: readonly SignalRole[] = ['primary', 'overview'];
export const SAMPLE_TYPES: readonly SampleType[] = ['uint8', 'uint16', 'float32'];
export const LAYOUTS: readonly ChannelLayout[] = ['grey', 'grey-alpha', 'rgb', 'rgb-alpha', 'plain'];
export const LOCAL_COORDINATES: readonly LocalCoordinates[] = ['signal', 'cell'];
export const FORMATS: readonly WeightFormat[] = ['float32', 'float16', 'integer'];
export const CODERS: readonly Coder[] = ['none', 'deflate', 'range'];
