import { LgiError } from '../../codec/errors.js';
import { foreignFile } from './foreign-file.js';
import { hasMagic, MAGIC, SHORT_SLOT_BYTES, slotBytesIn, slotFault } from './superblock.js';

/** File identifier of the header's FlatBuffer, `LGIH`. */
const HEADER_MARK = [0x4c, 0x47, 0x49, 0x48];

/** Why a file with no valid slot has none. */
export function noSuperblock(bytes: Uint8Array): LgiError {
  const slotBytes = slotBytesIn(bytes);
  const known = MAGIC.every((value, i) => i >= bytes.length || bytes[i] === value);
  if (bytes.length === 0) {
    return new LgiError('not-lgi', 'the file is empty, so it is not an LGI file; check the path or URL', {
      byteOffset: 0,
    });
  }
  if (bytes.length < 2 * slotBytes && known) {
    return new LgiError(
      'truncated',
      `the file ends after ${bytes.length} bytes, inside the superblock of ${2 * slotBytes}; fetch it again`,
      { section: 'superblock', byteOffset: bytes.length },
    );
  }
  // As after a transfer in text mode: CR LF became LF, or LF became CR LF.
  const letters = bytes[1] === 0x4c && bytes[2] === 0x47 && bytes[3] === 0x49;
  if (!hasMagic(bytes, 0) && !hasMagic(bytes, slotBytes)) {
    if (letters && (bytes[0] === MAGIC[0] || bytes[0] === (MAGIC[0] & 0x7f))) {
      return damaged('the file was changed in transfer, as text would be; fetch it again in binary mode');
    }
    const foreign = foreignFile(bytes);
    const seen = Array.from(bytes.subarray(0, 8), (value) => value.toString(16).padStart(2, '0')).join(' ');
    const headerAt = foreign === undefined ? headerMarkIn(bytes) : -1;
    if (headerAt >= 0) {
      return new LgiError(
        'not-lgi',
        `the file begins with ${seen}, as no LGI file does, but at byte ${headerAt} it has a header of one: its superblock was ` +
          'overwritten; save what is sound by repair',
        { byteOffset: 0 },
      );
    }
    const message = foreign
      ? `this is ${foreign.name}, not an LGI file; ${foreign.nextStep}`
      : `the file begins with ${seen}, so it is not an LGI file; check the path or URL`;
    return new LgiError('not-lgi', message, { byteOffset: 0 });
  }
  const reasons = [0, 1]
    .map((slot) => `slot ${slot}: ${slotFault(bytes, slot * slotBytes, slotBytes)}`)
    .join('; ');
  return damaged(`both slots of the superblock are unusable (${reasons}); fetch the file again`);
}

function damaged(message: string): LgiError {
  return new LgiError('damaged', message, { section: 'superblock', byteOffset: 0 });
}

/** Where in these bytes a header may begin, by its identifier; -1 where none does. */
function headerMarkIn(bytes: Uint8Array): number {
  for (let at = 2 * SHORT_SLOT_BYTES; at + 8 <= bytes.length; at += 8) {
    if (HEADER_MARK.every((byte, i) => bytes[at + 4 + i] === byte)) return at;
  }
  return -1;
}
