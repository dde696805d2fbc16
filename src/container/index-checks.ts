import { LgiError } from '../../codec/errors.js';
import { contains, type AxisCuts, type Box, type Grid } from '../../codec/grid.js';
import { chunkLayoutOf } from './chunk.js';
import type { Header } from './header.js';
import type { Index, MetadataSection } from './index-table.js';
import * as limits from './limits.js';
import { superblockBytesOf, type Superblock } from './superblock.js';

/** The checks of an index that was read, step by step as its parts are put together. */
export class IndexChecks {
  private chunkCount = 0;
  private chunkBytes = 0;

  /** @param byteOffset of the index in its file, for errors. */
  constructor(
    private readonly byteOffset: number,
    private readonly committedByteLength: number,
  ) {}

  /** @throws LgiError `damaged`, section `index`, unless the condition holds. */
  must(holds: boolean, fact: string): asserts holds {
    if (!holds) this.fail(fact);
  }

  /** {@link IndexChecks.must} for loops over chunks, where making the message costs more than the check. */
  fail(fact: string): never {
    throw new LgiError('damaged', `the index is wrong: ${fact}; fetch the file again`, {
      section: 'index',
      byteOffset: this.byteOffset,
    });
  }

  /** @throws LgiError `limit`, section `index`, where the value is larger. */
  atMost(value: number, most: number, what: string): void {
    if (value <= most) return;
    throw new LgiError('limit', `the index has ${what} of ${value}, the limit is ${most}`, {
      section: 'index',
      byteOffset: this.byteOffset,
    });
  }

  /** A 64-bit number as an exact one. */
  wholeNumber(value: bigint, name: string): number {
    this.must(value <= BigInt(limits.MAX_FILE_BYTES), `a ${name} is ${value}, beyond 2^53 - 1`);
    return Number(value);
  }

  payloadLength(byteLength: number, name: string): void {
    const most = limits.MAX_PAYLOAD_BYTES;
    if (byteLength > most) this.atMost(byteLength, most, `a payload in ${name}`);
  }

  /**
   * That the file has room for a signal's chunks beside those of the signals before it; asked before anything is allocated
   * for them.
   *
   * @param leastBytes that they take, heads and payloads.
   */
  chunks(count: number, leastBytes: number, name: string): void {
    this.chunkCount += count;
    this.chunkBytes += leastBytes;
    this.atMost(this.chunkCount, limits.MAX_CHUNKS, `a number of chunks up to those of ${name}`);
    this.must(
      this.chunkBytes <= this.committedByteLength,
      `${this.chunkCount} chunks up to those of ${name} have ${this.chunkBytes} bytes or more, ` +
        `the committed length is ${this.committedByteLength}`,
    );
  }

  /**
   * @param firstShape samples per axis at the first encode
   * @param mayGoBeyond whether the superblock says that there are others
   * @param mostSamples of a partition per axis
   */
  axes(
    axes: readonly AxisCuts[],
    firstShape: readonly number[],
    mayGoBeyond: boolean,
    mostSamples: number,
    name: string,
  ): void {
    let cells = 1;
    axes.forEach(({ cuts, firstCell }, axis) => {
      this.must(cuts.length >= 2, `${name} has ${cuts.length} cuts on axis ${axis}, at least 2 make a cell`);
      for (let i = 1; i < cuts.length; i++) {
        if (cuts[i - 1] >= cuts[i]) {
          this.fail(`${name}'s cuts on axis ${axis} are ${cuts[i - 1]} and then ${cuts[i]}`);
        }
        if (cuts[i] - cuts[i - 1] > mostSamples) {
          this.atMost(cuts[i] - cuts[i - 1], mostSamples, `a cell on axis ${axis} of ${name}`);
        }
      }
      const [begin, end] = [cuts[0], cuts[cuts.length - 1]];
      this.must(
        mayGoBeyond || (begin >= 0 && end <= firstShape[axis]),
        `${name}'s cuts on axis ${axis} go from ${begin} to ${end}, the first encode has 0 to ${firstShape[axis]}`,
      );
      this.atMost(-begin, limits.MAX_POSITION, `the magnitude of a cut on axis ${axis} of ${name}`);
      this.atMost(end - begin, limits.MAX_AXIS_SAMPLES, `a number of samples on axis ${axis} of ${name}`);
      this.atMost(
        Math.max(-firstCell, firstCell + cuts.length - 2),
        limits.MAX_POSITION,
        `the magnitude of a partition coordinate on axis ${axis} of ${name}`,
      );
      cells *= cuts.length - 1;
      this.atMost(cells, limits.MAX_CELLS, `a number of partitions in ${name}`);
    });
  }

  window(window: Box, grid: Grid, name: string): void {
    const { begin, end } = window;
    const axisCount = grid.shape.length;
    this.must(
      begin.length === axisCount && end.length === axisCount,
      `${name}'s window has ${begin.length} and ${end.length} numbers for ${axisCount} axes`,
    );
    this.must(
      begin.every((at, axis) => at < end[axis]) && contains(grid.extent, window),
      `${name}'s window from ${begin.join(',')} to ${end.join(',')} does not lie in its extent from ` +
        `${grid.extent.begin.join(',')} to ${grid.extent.end.join(',')}`,
    );
  }
}

/** Checks the list of metadata sections, apart from where they lie. */
export function checkSections(sections: readonly MetadataSection[], checks: IndexChecks): void {
  checks.atMost(sections.length, limits.MAX_SECTIONS, 'a number of metadata sections');
  const names = new Set<string>();
  for (const { name, byteLength } of sections) {
    checks.atMost(name.length, limits.MAX_SECTION_NAME_BYTES, "a section name's length");
    // Names are shown on terminals and used as keys; what cannot be seen does not belong there.
    checks.must(
      /^[\x21-\x7e]+$/.test(name),
      "a metadata section's name is not of printable ASCII without spaces",
    );
    checks.atMost(byteLength, limits.MAX_SECTION_BYTES, `a metadata section ${name}`);
    checks.must(!names.has(name), `two metadata sections are named ${name}`);
    names.add(name);
  }
}

/** Checks that everything lies inside the committed length and that no two things share a byte. */
export function checkPlaces(index: Index, header: Header, superblock: Superblock, checks: IndexChecks): void {
  const places: { begin: number; end: number; name: string }[] = [
    { begin: 0, end: superblockBytesOf(superblock.features), name: 'the superblock' },
  ];
  const place = (name: string, begin: number, byteLength: number): void => {
    // An empty section shares no byte, wherever it is said to be.
    if (byteLength > 0) places.push({ begin, end: begin + byteLength, name });
  };
  place('the header', superblock.header.byteOffset, superblock.header.byteLength);
  place('the index', superblock.index.byteOffset, superblock.index.byteLength);
  for (const { name, byteOffset, byteLength } of index.sections) {
    place(`metadata section ${name}`, byteOffset, byteLength);
  }
  index.signals.forEach(({ chunks }, signal) => {
    // Inside a run chunks follow each other, so runs stand for them.
    const starts = chunks.runStarts(chunkLayoutOf(header.signals[signal]));
    starts.forEach((first, run) => {
      const last = (starts[run + 1] ?? chunks.count) - 1;
      const begin = chunks.byteOffsets[first];
      place(`run ${run} of signal ${signal}`, begin, chunks.end(last) - begin);
    });
  });
  places.sort((a, b) => a.begin - b.begin || a.end - b.end);
  places.forEach(({ begin, end, name }, i) => {
    if (end > superblock.committedByteLength) {
      checks.fail(
        `${name} from byte ${begin} to ${end} reaches beyond the committed length of ${superblock.committedByteLength}`,
      );
    }
    const before = places[i - 1];
    if (before !== undefined && before.end > begin) {
      checks.fail(`${before.name} up to byte ${before.end} and ${name} from byte ${begin} share bytes`);
    }
  });
}
