/** A range of bytes. */
export interface ByteRange {
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** One read that covers several wanted ranges. */
export interface PlannedRead extends ByteRange {
  /** Positions of the ranges in the list that was given, by ascending offset. */
  readonly members: readonly number[];
}

/**
 * Puts neighbouring ranges into common reads, by ascending offset.
 *
 * @param gapBytes largest unused stretch between two ranges that is read along.
 * @param maxBytes largest read of more than one range.
 */
export function planReads(ranges: readonly ByteRange[], gapBytes: number, maxBytes: number): PlannedRead[] {
  const order = ranges.map((_, i) => i).sort((a, b) => ranges[a].byteOffset - ranges[b].byteOffset);
  const reads: { begin: number; end: number; members: number[] }[] = [];
  for (const member of order) {
    const { byteOffset, byteLength } = ranges[member];
    const end = byteOffset + byteLength;
    const read = reads[reads.length - 1];
    if (read && byteOffset <= read.end + gapBytes && Math.max(end, read.end) - read.begin <= maxBytes) {
      read.end = Math.max(end, read.end);
      read.members.push(member);
    } else {
      reads.push({ begin: byteOffset, end, members: [member] });
    }
  }
  return reads.map(({ begin, end, members }) => ({ byteOffset: begin, byteLength: end - begin, members }));
}
