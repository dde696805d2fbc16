// Made by scripts/generate-schema.mjs from lgi.fbs; not edited.

/** One field of a FlatBuffers table. A field's place in its list is its id. */
export type FieldLayout = { readonly name: string; readonly required: boolean } & (
  | { readonly kind: 'inline'; readonly size: number; readonly align: number }
  | { readonly kind: 'string' }
  | { readonly kind: 'table'; readonly table: TableName }
  | { readonly kind: 'union'; readonly members: readonly (TableName | null)[] }
  | { readonly kind: 'vector'; readonly size: number; readonly align: number }
  | { readonly kind: 'tables'; readonly table: TableName }
);

export type TableName =
  | 'Axis'
  | 'Header'
  | 'Index'
  | 'LatentFamily'
  | 'Quantiser'
  | 'SampleFormat'
  | 'Section'
  | 'Signal'
  | 'SignalIndex'
  | 'SineFamily';

/** Every table of the schema. */
export const LAYOUT: Readonly<Record<TableName, readonly FieldLayout[]>> = {
  Axis: [
    { name: 'cuts', kind: 'vector', size: 4, align: 4, required: true },
    { name: 'first_cell', kind: 'inline', size: 4, align: 4, required: false },
  ],
  Header: [
    { name: 'signals', kind: 'tables', table: 'Signal', required: true },
    { name: 'digest', kind: 'vector', size: 1, align: 1, required: false },
    { name: 'writer', kind: 'string', required: false },
  ],
  Index: [
    { name: 'signals', kind: 'tables', table: 'SignalIndex', required: true },
    { name: 'sections', kind: 'tables', table: 'Section', required: true },
  ],
  LatentFamily: [
    { name: 'levels', kind: 'inline', size: 1, align: 1, required: false },
    { name: 'finest_levels', kind: 'vector', size: 1, align: 1, required: true },
    { name: 'hidden_width', kind: 'inline', size: 1, align: 1, required: false },
    { name: 'amplitude', kind: 'inline', size: 4, align: 4, required: false },
    { name: 'default_set', kind: 'inline', size: 1, align: 1, required: false },
  ],
  Quantiser: [
    { name: 'format', kind: 'inline', size: 1, align: 1, required: false },
    { name: 'local_tensors', kind: 'vector', size: 8, align: 4, required: true },
    { name: 'global_tensors', kind: 'vector', size: 8, align: 4, required: true },
    { name: 'local_models', kind: 'vector', size: 1, align: 1, required: false },
    { name: 'local_origin', kind: 'vector', size: 1, align: 1, required: false },
  ],
  SampleFormat: [
    { name: 'sample_type', kind: 'inline', size: 1, align: 1, required: false },
    { name: 'channels', kind: 'inline', size: 1, align: 1, required: false },
    { name: 'layout', kind: 'inline', size: 1, align: 1, required: false },
    { name: 'mapping', kind: 'inline', size: 16, align: 8, required: true },
  ],
  Section: [
    { name: 'name', kind: 'string', required: true },
    { name: 'span', kind: 'inline', size: 16, align: 8, required: true },
  ],
  Signal: [
    { name: 'kind', kind: 'inline', size: 1, align: 1, required: false },
    { name: 'role', kind: 'inline', size: 1, align: 1, required: false },
    { name: 'sample_format', kind: 'table', table: 'SampleFormat', required: true },
    { name: 'colour', kind: 'inline', size: 4, align: 1, required: false },
    { name: 'first_shape', kind: 'vector', size: 4, align: 4, required: true },
    { name: 'coordinate_maps', kind: 'vector', size: 16, align: 8, required: true },
    { name: 'nominal_cell', kind: 'vector', size: 4, align: 4, required: true },
    { name: 'architecture_type', kind: 'inline', size: 1, align: 1, required: false },
    { name: 'architecture', kind: 'union', members: [null /* NONE */, 'SineFamily', 'LatentFamily'], required: true },
    { name: 'quantiser', kind: 'table', table: 'Quantiser', required: true },
    { name: 'coder', kind: 'inline', size: 1, align: 1, required: false },
    { name: 'global_weights', kind: 'vector', size: 1, align: 1, required: true },
    { name: 'rate', kind: 'inline', size: 8, align: 4, required: false },
    { name: 'start_seconds', kind: 'inline', size: 8, align: 8, required: false },
    { name: 'overview_factor', kind: 'inline', size: 2, align: 2, required: false },
    { name: 'constant_partitions', kind: 'inline', size: 1, align: 1, required: false },
  ],
  SignalIndex: [
    { name: 'axes', kind: 'tables', table: 'Axis', required: true },
    { name: 'window_begin', kind: 'vector', size: 4, align: 4, required: true },
    { name: 'window_end', kind: 'vector', size: 4, align: 4, required: true },
    { name: 'coordinates', kind: 'vector', size: 4, align: 4, required: true },
    { name: 'payload_lengths', kind: 'vector', size: 4, align: 4, required: true },
    { name: 'runs', kind: 'vector', size: 16, align: 8, required: true },
    { name: 'presence', kind: 'vector', size: 1, align: 1, required: false },
    { name: 'packed_lengths', kind: 'vector', size: 1, align: 1, required: false },
  ],
  SineFamily: [
    { name: 'levels', kind: 'inline', size: 1, align: 1, required: false },
    { name: 'local_width', kind: 'inline', size: 2, align: 2, required: false },
    { name: 'global_width', kind: 'inline', size: 2, align: 2, required: false },
    { name: 'local_coordinates', kind: 'inline', size: 1, align: 1, required: false },
    { name: 'lattice_stride', kind: 'inline', size: 2, align: 2, required: false },
    { name: 'local_activation', kind: 'inline', size: 48, align: 8, required: true },
    { name: 'global_activation', kind: 'inline', size: 48, align: 8, required: true },
    { name: 'merge_activation', kind: 'inline', size: 48, align: 8, required: true },
  ],
};
