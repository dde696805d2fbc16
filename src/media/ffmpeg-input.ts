import { open, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Codec, Frame, FormatContext, InputFormat, Stream } from 'node-av/lib';
import { LgiError } from '../../codec/errors.js';
import { fileError } from '../io/file-error-node.js';
import { damagedFault, mediaFault } from './image-limits.js';
import { isPlaceholder } from './wav-header.js';
import { loadNodeAv, type NodeAv } from './node-av.js';

/** A file that FFmpeg has opened. */
export interface FfmpegInput {
  readonly av: NodeAv;
  readonly name: string;
  readonly context: FormatContext;
  readonly streams: readonly Stream[];
  /** FFmpeg's name for the format, such as `mov` or `gif`; the first of several. */
  readonly container: string;
  close(): Promise<void>;
}

/** FFmpeg's mark for a time that is not known: the least 64-bit integer. */
export const NO_TIME = -(2n ** 63n);

/** FFmpeg's unit for times of a whole file: a microsecond. */
const FILE_TIME_PER_SECOND = 1e6;

/**
 * Opens a sound or video file with FFmpeg.
 *
 * Only the file itself is read: playlists and the like, which name other files or addresses, are refused by FFmpeg's protocol list.
 *
 * @throws LgiError `io` when the file cannot be read; `media` when FFmpeg makes nothing of it; `unavailable` without node-av.
 */
export async function openFfmpegInput(path: string, signal?: AbortSignal): Promise<FfmpegInput> {
  const stats = await stat(path).catch((cause: unknown) => {
    throw fileError('read', path, cause);
  });
  if (!stats.isFile()) {
    throw new LgiError('io', `cannot read ${path}: it is no regular file; save the medium to one first`);
  }
  if (stats.size === 0) throw mediaFault(path, 'the file is empty, 0 bytes', 'fetch or export it again');
  await checkFormLength(path, stats.size);
  const av = await loadNodeAv();
  signal?.throwIfAborted();
  const context = await openByContent(av, path);
  const container = (context.iformat?.name ?? '').split(',')[0];
  return { av, name: path, context, streams: context.streams, container, close: () => context.closeInput() };
}

/** FFmpeg's reader of numbered pictures, which it takes by a file's name alone. */
const NUMBERED_PICTURES = 'image2';

/** Bytes that a file's format is told by where its name would mislead, and the zeros that FFmpeg reads after them. */
const PROBE_BYTES = 2 ** 20;
const PROBE_PADDING_BYTES = 32;

async function openByContent(av: NodeAv, path: string): Promise<FormatContext> {
  const context = await openContext(av, path, null);
  if (context.iformat?.name !== NUMBERED_PICTURES) return context;
  await context.closeInput();
  const file = await open(path, 'r');
  try {
    const { buffer } = await file.read(Buffer.alloc(PROBE_BYTES + PROBE_PADDING_BYTES), 0, PROBE_BYTES, 0);
    return await openContext(av, path, av.lib.InputFormat.probe(buffer));
  } finally {
    await file.close();
  }
}

async function openContext(av: NodeAv, path: string, format: InputFormat | null): Promise<FormatContext> {
  const context = new av.lib.FormatContext();
  context.allocContext();
  context.setOption('protocol_whitelist', 'file');
  try {
    // With its protocol, so that no name is taken for another one's, such as `concat:`.
    checkOpened(av, path, await context.openInput(`file:${resolve(path)}`, format));
    checkOpened(av, path, await context.findStreamInfo());
  } catch (error) {
    await context.closeInput();
    throw error;
  }
  return context;
}

/** Refuses WAV, AVI and AIFF files shorter than they say: FFmpeg takes what is there for all. */
async function checkFormLength(path: string, byteLength: number): Promise<void> {
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw fileError('read', path, cause);
  });
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(8), 0, 8, 0);
    const kind = buffer.toString('latin1', 0, 4);
    if (bytesRead < 8 || (kind !== 'RIFF' && kind !== 'FORM')) return;
    const size = kind === 'RIFF' ? buffer.readUInt32LE(4) : buffer.readUInt32BE(4);
    if (size === 0 || isPlaceholder(size) || 8 + size <= byteLength) return;
    throw damagedFault(path, `its header says ${8 + size} bytes, ${byteLength} are there`);
  } finally {
    await file.close();
  }
}

function checkOpened({ lib }: NodeAv, path: string, code: number): void {
  if (code >= 0) return;
  throw mediaFault(
    path,
    `FFmpeg cannot read it: ${lib.FFmpegError.strerror(code)}`,
    'it is no sound or video, or the file is cut off or damaged; fetch or export it again',
  );
}

/** Containers whose clock begins anywhere, as that of a broadcast does. */
const FREE_CLOCKS: ReadonlySet<string> = new Set(['mpegts', 'mpeg']);

/** Seconds up to which a file's first time is how its writer begins, such as a decoder's delay, and no start of its own. */
const WRITER_START_SECONDS = 1;

/**
 * Seconds on the file's clock that count as 0. A file whose earliest stream begins later than a writer's own delays, such as a part of a
 * longer recording, keeps that start: 0 is then the clock's own, but for clocks that begin anywhere.
 */
export function clockZeroSeconds(input: FfmpegInput): number {
  const start = fileStartSeconds(input);
  return FREE_CLOCKS.has(input.container) || Math.abs(start) < WRITER_START_SECONDS ? start : 0;
}

/** Seconds at which the file begins: where its earliest stream does; 0 where it says nothing. */
export function fileStartSeconds({ context }: FfmpegInput): number {
  return context.startTime === NO_TIME ? 0 : Number(context.startTime) / FILE_TIME_PER_SECOND;
}

/** Seconds that a time of a stream means, or undefined where it is not known. */
export function streamSeconds({ timeBase }: Stream, time: bigint): number | undefined {
  return time === NO_TIME ? undefined : (Number(time) * timeBase.num) / timeBase.den;
}

/** Decoders that put pictures and their alpha, which WebM has as a second stream inside the first, together again. */
const ALPHA_DECODERS = { vp8: 'libvpx', vp9: 'libvpx-vp9' } as const;

/** Whether a stream has alpha beside its pictures, where FFmpeg's own decoders pass it over. */
export function hasAlphaBeside({ metadata }: Stream): boolean {
  return metadata?.get('alpha_mode') === '1';
}

function decoderOf(lib: NodeAv['lib'], stream: Stream): Codec | null {
  const { codecId } = stream.codecpar;
  const name = lib.avGetCodecName(codecId);
  const own = lib.Codec.findDecoder(codecId);
  if ((name !== 'vp8' && name !== 'vp9') || !hasAlphaBeside(stream)) return own;
  return (
    lib.Codec.findDecoderByName(ALPHA_DECODERS[name] as Parameters<typeof lib.Codec.findDecoderByName>[0]) ??
    own
  );
}

/** Tags that programs put before and after a sound, and so between two that were put together. */
const TAGS = /^(ID3|TAG|APETAGEX|LYRICSBEGIN|3DI)/;

/** Whether a packet that is no frame holds a tag, or nothing at all: zeros. */
function isHarmless(data: Buffer): boolean {
  return TAGS.test(data.toString('latin1', 0, 16)) || data.every((byte) => byte === 0);
}

/**
 * Decodes one stream: its frames, in presentation order. Each is FFmpeg's own memory and valid only until the next is asked for.
 *
 * @param onSkipped is told of bytes that are no frames and do no harm: tags and zeros between frames or at the end. Without it they are
 * damage.
 * @throws LgiError `media` where packets or frames are damaged: FFmpeg would go on and invent what is missing.
 */
export async function* decodedFrames(
  { av: { lib, constants }, name, context }: FfmpegInput,
  stream: Stream,
  signal?: AbortSignal,
  onSkipped?: (byteLength: number) => void,
): AsyncGenerator<Frame> {
  const parameters = stream.codecpar;
  const codec = decoderOf(lib, stream);
  if (!codec) {
    throw mediaFault(
      name,
      `this build of FFmpeg has no decoder for codec ${lib.avGetCodecName(parameters.codecId) ?? parameters.codecId}`,
      'convert it to a common format first',
    );
  }
  const decoder = new lib.CodecContext();
  const packet = new lib.Packet();
  const frame = new lib.Frame();
  const check = (code: number): void => {
    if (code < 0) throw damagedFault(name, `FFmpeg cannot decode it: ${lib.FFmpegError.strerror(code)}`);
  };
  try {
    decoder.allocContext3(codec);
    packet.alloc();
    frame.alloc();
    check(decoder.parametersToContext(parameters));
    decoder.pktTimebase = stream.timeBase;
    // Exact arithmetic: the same file gives the same samples on every machine.
    decoder.setFlags(constants.AV_CODEC_FLAG_BITEXACT);
    decoder.threadCount = 0;
    check(await decoder.open2(codec));
    for (let isEnd = false; !isEnd;) {
      signal?.throwIfAborted();
      const code = await context.readFrame(packet);
      isEnd = code === constants.AVERROR_EOF;
      if (!isEnd) check(code);
      if (!isEnd && packet.streamIndex !== stream.index) {
        packet.unref();
        continue;
      }
      if (!isEnd && packet.hasFlags(constants.AV_PKT_FLAG_CORRUPT)) {
        throw damagedFault(name, 'a packet of it is marked as damaged');
      }
      const sent = await decoder.sendPacket(isEnd ? null : packet);
      const isJunk =
        sent === constants.AVERROR_INVALIDDATA && packet.data !== null && isHarmless(packet.data);
      if (isJunk && onSkipped !== undefined) onSkipped(packet.size);
      else check(sent);
      packet.unref();
      for (;;) {
        const received = await decoder.receiveFrame(frame);
        if (received === constants.AVERROR_EAGAIN || received === constants.AVERROR_EOF) break;
        check(received);
        if (frame.decodeErrorFlags !== 0 || frame.hasFlags(constants.AV_FRAME_FLAG_CORRUPT)) {
          throw damagedFault(name, 'the decoder met errors and would have to invent samples');
        }
        yield frame;
        frame.unref();
      }
    }
  } finally {
    frame.free();
    packet.free();
    decoder.freeContext();
  }
}
