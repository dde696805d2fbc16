// Conformance vectors that break one rule of appendix A of the format.
import { signal, quantiser, FUTURE } from './table-edits.mjs';

/** Faults of buffers: name, description, file, edit, code, section. */
export function flatBufferRules(files) {
  const one = files.get('one-partition');
  const aligned = files.get('audio-float32');
  const header = 'header';

  return [
    [
      'flatbuffer-identifier',
      'A header with the identifier of an index.',
      one,
      (h) => void (h.$identifier = 'LGIX'),
      'damaged',
      header,
    ],
    [
      'flatbuffer-alignment-offset',
      "A writer's name that begins at no multiple of 4.",
      one,
      (h) => void Object.assign(h, { writer: 'ab', $skew: 'writer' }),
      'damaged',
      header,
    ],
    [
      'flatbuffer-alignment-field',
      'A number of 8 bytes in a table that begins at no multiple of 8.',
      one,
      signal((s) => Object.assign(s, { startSeconds: 1, $skew: 'startSeconds' })),
      'damaged',
      header,
    ],
    [
      'flatbuffer-alignment-vector',
      'A vector of numbers of 8 bytes whose elements begin at no multiple of 8.',
      one,
      signal((s) => Object.assign(s, { $skew: 'coordinateMaps' })),
      'damaged',
      header,
    ],
    [
      'flatbuffer-shared-vector',
      'Both lists of quantisers, of which there are none, are one and the same vector.',
      aligned,
      quantiser((q) => (q.$share = ['globalTensors', 'localTensors'])),
      'damaged',
      header,
    ],
    [
      'flatbuffer-end',
      "A header that ends before its last object does, by a byte of the writer's name and the zero after it.",
      one,
      (h) => void (h.$cut = 2),
      'damaged',
      header,
    ],
    [
      'flatbuffer-virtual-place',
      'A virtual table beyond the end.',
      one,
      signal((s) => (s.$virtual = (view, _, at) => view.setInt32(at, -0x10000, true))),
      'damaged',
      header,
    ],
    [
      'flatbuffer-virtual-odd',
      'A virtual table of an odd number of bytes.',
      one,
      signal((s) => (s.$virtual = (view, at) => view.setUint16(at, view.getUint16(at, true) + 1, true))),
      'damaged',
      header,
    ],
    [
      'flatbuffer-virtual-large',
      'A virtual table of 32,768 bytes.',
      one,
      signal((s) => {
        s.sampleFormat.$size = 2 ** 15 - 4;
        s.$virtual = (view, at) => view.setUint16(at, 2 ** 15, true);
      }),
      'damaged',
      header,
    ],
    [
      'flatbuffer-table-large',
      'A table of 32,768 bytes.',
      one,
      signal((s) => (s.sampleFormat.$size = 2 ** 15)),
      'damaged',
      header,
    ],
    [
      'flatbuffer-field',
      'A table that ends before its last field.',
      one,
      signal((s) => {
        s.startSeconds = 1;
        s.$virtual = (view, virtual, at, places) =>
          view.setUint16(virtual + 2, places.get('startSeconds') - at, true);
      }),
      'damaged',
      header,
    ],
    [
      'flatbuffer-union',
      'An architecture without its type.',
      one,
      signal((s) => (s.architectureType = null)),
      'damaged',
      header,
    ],
    [
      'flatbuffer-union-offset',
      'An architecture of a later version whose offset leads out of the header.',
      one,
      signal((s) => {
        s.architectureType = FUTURE;
        s.$virtual = (view, _, __, places) => (s.place = places.get('architecture'));
      }),
      'damaged',
      header,
      (h) => (h.$bytes = (view) => view.setUint32(h.signals[0].place, 0x7fff_fff0, true)),
    ],
  ];
}
