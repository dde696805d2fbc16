// Where fields stand in the records that TypeScript writes and the kernels read, in bytes from the record's beginning.
//
// This file is compiled twice, by tsc and by the AssemblyScript compiler (assembly/ imports it), so that the two cannot
// disagree; that is why it holds untyped whole numbers and nothing else. Fields are i32 where nothing else is said.

/** Most axes a signal can have here. */
export const MAX_AXES = 4;

// Box: begin [4], then shape [4]; unused axes 0 and 1.
export const BOX_SHAPE = 16;

// The plan: what an instance knows of the network.
export const PLAN_INPUTS = 0;
export const PLAN_OUTPUTS = 4;
export const PLAN_LEVELS = 8;
export const PLAN_LOCAL_WIDTH = 12;
export const PLAN_GLOBAL_WIDTH = 16;
export const PLAN_LATTICE_STRIDE = 20;
export const PLAN_CELL_COORDINATES = 24;
export const PLAN_GLOBAL_WEIGHTS = 28;
/** Per role (local, global, merge) 5 f32: first frequency, hidden frequency, phase, amplitude, shift. */
export const PLAN_ACTIVATIONS = 32;
export const ACTIVATION_BYTES = 20;
/** 1 where global features are added to local ones (`fc-add`), 0 where both go through one layer (`concat`). */
export const PLAN_ADDS_MERGE = 92;
/** Per axis f64 scale, f64 offset, f64 half of the nominal cell, f64 fold length. */
export const PLAN_AXES = 96;
export const AXIS_BYTES = 32;
export const PLAN_BYTES = 224;

// The training job: what stays for the session ...
export const JOB_ITEMS = 0;
export const JOB_ITEM_COUNT = 4;
export const JOB_BLOCK_COUNT = 8;
export const JOB_PARTITIONS = 12;
/** Items per partition. */
export const JOB_SHARES = 16;
/** 0 uint8, 1 uint16, 2 float32. */
export const JOB_SAMPLE_TYPE = 20;
/** Channel of alpha, or -1. */
export const JOB_ALPHA = 24;
export const JOB_THREADS = 28;
export const JOB_GLOBAL_FIRST = 32;
export const JOB_GLOBAL_SECOND = 36;
export const JOB_GLOBAL_GRADIENT = 40;
/** Bytes between the gradients of blocks. */
export const JOB_GLOBAL_STRIDE = 44;
/** f32: target = sample * scale + offset; alpha weight = sample * alpha scale. */
export const JOB_SAMPLE_SCALE = 48;
export const JOB_SAMPLE_OFFSET = 52;
export const JOB_ALPHA_SCALE = 56;
/** 1 for SOAP, 0 for Adam. */
export const JOB_IS_SOAP = 60;
/** f32 */
export const JOB_BETA1 = 64;
export const JOB_BETA2 = 68;
export const JOB_EPSILON = 72;
/** SOAP: state of the global layers, updates between refreshes, f32 decay of the factors. */
export const JOB_GLOBAL_STATE = 76;
export const JOB_REFRESH_STEPS = 80;
export const JOB_FACTOR_DECAY = 84;
/** Pointer to f32 [packed local], largest magnitudes of local weights; 0 where none is bounded. */
export const JOB_LOCAL_BOUNDS = 88;
// ... what each step brings ...
export const JOB_BATCH = 96;
export const JOB_BATCHES = 100;
export const JOB_USE_ORDER = 104;
export const JOB_TRAIN_GLOBAL = 108;
/** Version of the global weights: lattice patches of another are stale. */
export const JOB_VERSION = 112;
/** f32: 2 / values of the batch, for all partitions; 0 where each has a loss of its own. */
export const JOB_LOSS_SCALE = 116;
/** Pointer to f32, one per step, uncorrected: partitions count their own updates. */
export const JOB_LOCAL_RATES = 120;
/** f32: rate / (1 - beta1^t), 1 / sqrt(1 - beta2^t). */
export const JOB_GLOBAL_RATE = 124;
export const JOB_GLOBAL_ROOT = 128;
/** SOAP: whether this is the global network's first update, and whether its bases are refreshed. */
export const JOB_GLOBAL_STARTS = 132;
export const JOB_GLOBAL_REFRESHES = 136;
/** Steps of this call, each of the next batch. */
export const JOB_STEPS = 140;
/** f32: what local rates are multiplied by in the output layer. */
export const JOB_OUTPUT_RATE_FACTOR = 144;
// ... and what threads share: counters, the barrier's arrivals and turn. On a cache line of its own.
export const JOB_NEXT_BLOCK = 192;
export const JOB_NEXT_RANGE = 196;
export const JOB_ARRIVED = 200;
export const JOB_TURN = 204;
export const JOB_BYTES = 256;

// A work item: one partition, or a share of its samples.
export const ITEM_BOX = 0;
export const ITEM_PARTITION = 32;
export const ITEM_SHARE = 36;
/** Samples of the partition. */
export const ITEM_COUNT = 40;
export const ITEM_SAMPLES = 44;
export const ITEM_ORDER = 48;
export const ITEM_WEIGHTS = 52;
export const ITEM_FIRST = 56;
export const ITEM_SECOND = 60;
export const ITEM_GRADIENT = 64;
export const ITEM_PATCH = 68;
/** f64: sums of the step's squared errors and of their weights. */
export const ITEM_ERROR = 72;
export const ITEM_WEIGHT = 80;
/** SOAP's state of the local network. */
export const ITEM_STATE = 88;
/** f32: factor of the local rates; 0 where the partition takes no part. */
export const ITEM_RATE_FACTOR = 92;
export const ITEM_UPDATES = 96;
/** Version of the global weights that the patch was made by. */
export const ITEM_VERSION = 100;
/** f64: beta1 and beta2 to the power of the updates made. */
export const ITEM_POWER1 = 104;
export const ITEM_POWER2 = 112;
export const ITEM_BYTES = 128;

// The evaluation job ...
export const EVALUATION_NEXT = 0;
export const EVALUATION_TASK_COUNT = 4;
export const EVALUATION_TASKS = 8;
/** What is written: 0 uint8, 1 uint16, 2 float32 samples, 3 outputs as the network gives them. */
export const EVALUATION_SAMPLE_TYPE = 12;
/** f64: sample = output * scale + offset. */
export const EVALUATION_SAMPLE_SCALE = 16;
export const EVALUATION_SAMPLE_OFFSET = 24;
// ... the lattice points that its tasks share: f32 [product of the axis counts, levels, Hp] ...
export const EVALUATION_LATTICE = 32;
/** Points that are needed, i32 row-major numbers ascending, and how many they are. */
export const EVALUATION_POINTS = 36;
export const EVALUATION_POINT_COUNT = 40;
/** Tiles of points claimed, and tiles done. */
export const EVALUATION_POINTS_NEXT = 44;
export const EVALUATION_POINTS_DONE = 48;
/** Per axis the number of points, then per axis a pointer to their f32 signal coordinates. */
export const EVALUATION_POINT_AXIS_COUNTS = 64;
export const EVALUATION_POINT_COORDINATES = 80;
export const EVALUATION_BYTES = 128;

// ... and its tasks: per axis the number of positions and a pointer to what is known of them.
export const TASK_COUNTS = 0;
/** f32 [count] cell and signal coordinates. */
export const TASK_LOCAL_COORDINATES = 16;
export const TASK_SIGNAL_COORDINATES = 32;
/** i32 [count] the lattice point of the job's axis at or before the position; f32 [count] how far on to the next. */
export const TASK_POINTS = 48;
export const TASK_FRACTIONS = 64;
export const TASK_WEIGHTS = 80;
export const TASK_OUTPUT = 84;
export const TASK_BYTES = 128;
