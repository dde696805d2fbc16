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

/** How few a plan's reads shall be, and what may be read along for it. */
export interface FewReads {
  /** Reads that the plan comes down to where gaps allow it. */
  readonly count: number;
  /** Largest gap that is read along in any case. */
  readonly freeGapBytes: number;
  /** Largest gap that is read along to save a read. */
  readonly gapBytes: number;
  /** Largest read of more than one range. */
  readonly maxBytes: number;
}

/**
 * {@link planReads} where a read costs a round trip but several go side by side: neighbours across the smallest gaps are put
 * together until few reads remain, so that no plan of as few reads fetches fewer bytes, as long as no read is too large.
 */
export function planFewReads(
  ranges: readonly ByteRange[],
  { count, freeGapBytes, gapBytes, maxBytes }: FewReads,
): PlannedRead[] {
  const reads = planReads(ranges, freeGapBytes, maxBytes).map((read) => ({
    ...read,
    members: [...read.members],
  }));
  const gaps = reads
    .slice(1)
    .map((read, i) => ({ before: i, bytes: read.byteOffset - (reads[i].byteOffset + reads[i].byteLength) }))
    .filter(({ bytes }) => bytes <= gapBytes)
    .sort((a, b) => a.bytes - b.bytes);
  /** Which read has taken in the read of this place. */
  const first = reads.map((_, i) => i);
  const taken = new Set<number>();
  for (const { before } of gaps) {
    if (reads.length - taken.size <= count) break;
    let into = before;
    while (first[into] !== into) into = first[into];
    const [left, right] = [reads[into], reads[before + 1]];
    const byteLength = right.byteOffset + right.byteLength - left.byteOffset;
    if (byteLength > maxBytes) continue;
    reads[into] = { ...left, byteLength, members: [...left.members, ...right.members] };
    first[before + 1] = into;
    taken.add(before + 1);
  }
  return reads.filter((_, i) => !taken.has(i));
}
