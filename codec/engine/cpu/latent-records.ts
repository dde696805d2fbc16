// Where fields stand in the records of the latent family's kernels, in bytes from the record's beginning.
//
// Compiled twice, by tsc and by the AssemblyScript compiler, as records.ts is. Fields are i32 where nothing else is said.

/** Floats of a grid's model: means, spreads, offset and gain, padding. */
export const MODEL_SPREAD = 12;
export const MODEL_SCALE = 24;
export const MODEL_FLOATS = 28;

// The plan: what an instance knows of the family.
export const LATENT_LEVELS = 0;
export const LATENT_HIDDEN = 4;
export const LATENT_OUTPUTS = 8;
export const LATENT_GRIDS = 12;
/** Pointer to the packed shared weights. */
export const LATENT_WEIGHTS = 16;
/** Most rows and columns of a partition. */
export const LATENT_MOST_HEIGHT = 20;
export const LATENT_MOST_WIDTH = 24;
/** Pointer to the models of whole numbers; 0 in training, which has none. */
export const LATENT_WHOLE_MODELS = 28;
/** The grids' records follow. */
export const LATENT_PLAN_GRIDS = 32;
export const GRID_LEVEL = 0;
/** Number of the parent, and of grids of earlier planes; -1 for none. */
export const GRID_PARENT = 4;
export const GRID_EARLIER = 8;
export const GRID_RECORD_BYTES = 32;
export const MOST_EARLIER = 3;
export const MOST_GRIDS = 64;
export const LATENT_PLAN_BYTES = 2080;

// The training job: what stays for the session ...
export const LATENT_JOB_ITEMS = 0;
export const LATENT_JOB_THREADS = 4;
/** Gradients of the batch's partitions, one after the other, and bytes between them. */
export const LATENT_JOB_GRADIENTS = 8;
export const LATENT_JOB_STRIDE = 12;
export const LATENT_JOB_FIRST = 16;
export const LATENT_JOB_SECOND = 20;
/** f32: beta1, beta2 and epsilon of latents, then of shared weights. */
export const LATENT_JOB_LATENT_ADAM = 24;
export const LATENT_JOB_SHARED_ADAM = 36;
/** f32: what squared errors and bits count for in the loss of a partition. */
export const LATENT_JOB_ERROR_FACTOR = 48;
export const LATENT_JOB_BIT_FACTOR = 52;
// ... what each step brings ...
/** Pointer to the numbers of the batch's items, and how many they are. */
export const LATENT_JOB_BATCH = 64;
export const LATENT_JOB_BATCH_COUNT = 68;
/** 1 where latents are rounded and stay. */
export const LATENT_JOB_IS_HARD = 72;
/** f32: temperature of soft rounding, width of the noise. */
export const LATENT_JOB_TEMPERATURE = 76;
export const LATENT_JOB_NOISE = 80;
/** u32: of the noise, mixed with the item's number. */
export const LATENT_JOB_KEY = 84;
/** f32: rate of latents, uncorrected: partitions count their own updates. */
export const LATENT_JOB_LATENT_RATE = 88;
/** f32: rate of shared weights over `1 - beta1^t`, and `1 / sqrt(1 - beta2^t)`; a rate of 0 leaves them alone. */
export const LATENT_JOB_SHARED_RATE = 92;
export const LATENT_JOB_SHARED_ROOT = 96;
/** f32: what the rate is multiplied by for taps. */
export const LATENT_JOB_TAP_FACTOR = 100;
// ... and what threads share.
export const LATENT_JOB_NEXT = 128;
export const LATENT_JOB_ARRIVED = 132;
export const LATENT_JOB_BYTES = 192;

// An item: one partition.
export const LATENT_ITEM_HEIGHT = 0;
export const LATENT_ITEM_WIDTH = 4;
/** Pointers to latents and moments in the padded layout. */
export const LATENT_ITEM_LATENTS = 8;
export const LATENT_ITEM_FIRST = 12;
export const LATENT_ITEM_SECOND = 16;
/** Pointer to f32 [m, height, width], in units of the amplitude; to f32 [height, width], what errors of colour count for, or 0. */
export const LATENT_ITEM_TARGET = 20;
export const LATENT_ITEM_ALPHA = 24;
export const LATENT_ITEM_UPDATES = 28;
/** f64: the last step's squared error and bits; beta1 and beta2 to the power of the updates made. */
export const LATENT_ITEM_ERROR = 32;
export const LATENT_ITEM_BITS = 40;
export const LATENT_ITEM_POWER1 = 48;
export const LATENT_ITEM_POWER2 = 56;
export const LATENT_ITEM_BYTES = 64;

// The decoding job: counters on a cache line of their own, then what there is to do.
export const DECODE_NEXT = 0;
export const DECODE_TASK_COUNT = 64;
export const DECODE_TASKS = 68;
/** Pointers to the tables: u16 same, toward [128, 9], end, digit [128], u8 logarithms [64]. */
export const DECODE_TABLES = 72;
export const DECODE_BYTES = 128;

// A task: the latents of a partition, and where its outputs belong, f32 [m, height, width].
export const DECODE_TASK_HEIGHT = 0;
export const DECODE_TASK_WIDTH = 4;
export const DECODE_TASK_PAYLOAD = 8;
export const DECODE_TASK_LENGTH = 12;
export const DECODE_TASK_OUTPUTS = 16;
/** What it came to: {@link DECODED}, or why not. */
export const DECODE_TASK_STATUS = 20;
export const DECODE_TASK_BYTES = 32;
export const DECODED = 0;
export const LATENT_TOO_LARGE = 1;
export const ENDS_ELSEWHERE = 2;

// Models of whole numbers, beside those of training: per grid i32 mean [12], spread [12], offset, gain, probability of absence.
export const WHOLE_SPREAD = 12;
export const WHOLE_OFFSET = 24;
export const WHOLE_GAIN = 25;
export const WHOLE_ABSENT = 26;
export const WHOLE_FLOATS = 28;
