import { MAX_PARTITIONS } from '../../codec/grid.js';

/** Version that this program knows; a reader refuses a higher major and reads any minor. */
export const VERSION = { major: 1, minor: 5 } as const;

/** Version of a file that uses nothing that came later. */
export const NEW_FILE_VERSION = { major: 1, minor: 0 } as const;

/** What one GET fetches to open a file: superblock, header, index and first chunks of a 512x512 picture with default weights. */
export const FIRST_READ_BYTES = 1 << 16;

/** The header holds the global weights: float32 ones of the largest network allowed here, and room for all else. */
export const MAX_HEADER_BYTES = (1 << 26) + (1 << 20);

/** An index of 2^20 chunks with three axes is 16 MiB, one run for each of them 16 MiB more; doubled for cuts and sections. */
export const MAX_INDEX_BYTES = 1 << 26;

/** Signals per file; a chunk names its signal in one byte, and pictures with overviews need about ten. */
export const MAX_SIGNALS = 64;

/** Metadata sections per file: user keys are listed in the index, which everybody reads first. */
export const MAX_SECTIONS = 1024;

/** Characters of a metadata section's name, all ASCII; keys of people are short. */
export const MAX_SECTION_NAME_BYTES = 255;

/** Bytes of a metadata section; large ICC profiles have about 4 MB. */
export const MAX_SECTION_BYTES = 1 << 26;

/** Bytes of the writer's name, in UTF-8; a name and a version. */
export const MAX_WRITER_BYTES = 255;

/** Float32 weights of the largest local network allowed, and room for a coder that makes noise a little longer. */
export const MAX_PAYLOAD_BYTES = (1 << 24) + (1 << 16);

/** Chunks of all signals: few bytes can say that there are many, and a reader keeps 16 bytes of each, so 64 MiB of all. */
export const MAX_CHUNKS = 1 << 22;

/** Partitions of one signal; codec's own limit, so that what is written can be read. */
export const MAX_CELLS = MAX_PARTITIONS;

/** Samples per axis of one signal: positions are int32, and 2^31 - 1 must still be an end. */
export const MAX_AXIS_SAMPLES = 2 ** 31 - 1;

/** Partition coordinates are int32. */
export const MAX_POSITION = 2 ** 31 - 1;

/** Sine levels: the paper has 4; a decoder keeps the features of all levels. */
export const MAX_LEVELS = 16;

/**
 * H: one partition's weights stay within 16 MiB together with {@link MAX_LOCAL_PARAMETERS}; the paper's SIREN for video
 * has 1030.
 */
export const MAX_LOCAL_WIDTH = 2048;

/** G, for the same reason. */
export const MAX_GLOBAL_WIDTH = 4096;

/** Weights of one partition: 16 MiB as float32. */
export const MAX_LOCAL_PARAMETERS = 1 << 22;

/** Weights of the global network and the merge: 64 MiB as float32. */
export const MAX_GLOBAL_PARAMETERS = 1 << 24;

/** The stride of the lattice is stored in 16 bits; the largest in use is 16. */
export const MAX_LATTICE_STRIDE = 4096;

/**
 * Samples of the primary signal per sample of an overview, per axis: a picture of 2^21 samples across then has one of 512,
 * and whoever makes overviews can hold a square of the primary of that side.
 */
export const MAX_OVERVIEW_FACTOR = 4096;

/** Planes of the latent family: as many as a picture with alpha has channels. */
export const MAX_PLANES = 4;

/** Levels of latents: the coarsest of twelve has one for 2048 by 2048 samples, more than a partition has. */
export const MAX_LATENT_LEVELS = 12;

/**
 * Samples of a latent partition per axis: a stream of no bytes may stand for a whole partition, so that a request for one of its
 * samples is bounded by this alone: four partitions meet at a corner, 2^20 samples, as many as are decoded at a time anyway. The encoder
 * makes up to 256.
 */
export const MAX_LATENT_CELL = 512;

/** Hidden features of the latent family; 32 are usual, and no picture gains by more than 64. */
export const MAX_HIDDEN_WIDTH = 64;

/** |omega|: INCODE and SIREN use 30 to 60, audio up to 3,000; the range reduction of sine stays exact far beyond. */
export const MAX_OMEGA = 1e5;

/** |a|, |b|: exp of it is finite in f32 and the products that follow stay so. */
export const MAX_MODULATION_EXPONENT = 32;

/** |c|, |d|: a phase beyond this has no fraction left in f32. */
export const MAX_MODULATION_SHIFT = 1e6;

/** |coordinate| at any position; sine arguments beyond it have no meaning in f32. */
export const MAX_COORDINATE = 1e6;

/** Largest finite binary32, for value mappings. */
export const MAX_FLOAT32 = 3.4028234663852886e38;

/** Numbers from here on are no exact integers in JavaScript; no file comes near. */
export const MAX_FILE_BYTES = Number.MAX_SAFE_INTEGER;

/**
 * Bytes that crop and the writer move at once: large enough that system calls do not show, and not larger, since memory
 * that is touched for the first time costs as much as copying it.
 */
export const COPY_BUFFER_BYTES = 1 << 20;

/** Channels of a signal: sound has the most, and its formats end there. */
export const MAX_CHANNELS = 255;
