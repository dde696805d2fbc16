import type { FilterContext, FilterGraph, Frame } from 'node-av/lib';
import { LgiError } from '../../codec/errors.js';
import { mediaFault } from './image-limits.js';
import type { NodeAv } from './node-av.js';

/** What a frame's numbers mean, as FFmpeg tags it (ITU-T H.273). */
export interface FrameColour {
  readonly matrix: number;
  readonly isFullRange: boolean;
}

/** The form of the frames that go in. */
export interface FrameInput extends FrameColour {
  readonly width: number;
  readonly height: number;
  readonly format: Frame['format'];
}

/** Every chroma sample counts, and nothing is approximated for speed. */
const EXACT_SCALING = 'flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp';

/** Converts frames of one form to another pixel format, by FFmpeg's scale filter: it heeds colour matrices. */
export class ScalingGraph {
  private readonly converted: Frame;

  private constructor(
    private readonly av: NodeAv,
    private readonly name: string,
    private readonly input: FrameInput,
    private readonly graph: FilterGraph,
    private readonly source: FilterContext,
    private readonly sink: FilterContext,
  ) {
    this.converted = new av.lib.Frame();
    this.converted.alloc();
  }

  /**
   * @param name of the medium, for messages.
   * @param output options of the scale filter, such as `out_range=pc`.
   * @param target FFmpeg's name of the pixel format to make.
   * @throws LgiError `media` where FFmpeg cannot convert so; `unavailable` without its filters.
   */
  static async make(
    av: NodeAv,
    name: string,
    input: FrameInput,
    output: string,
    target: string,
  ): Promise<ScalingGraph> {
    const { lib } = av;
    const graph = new lib.FilterGraph();
    graph.alloc();
    const create = (filter: string, args: string | null): FilterContext => {
      const found = lib.Filter.getByName(filter);
      const context = found === null ? null : graph.createFilter(found, filter, args);
      if (context !== null) return context;
      throw new LgiError('unavailable', `this build of FFmpeg cannot make its ${filter} filter`);
    };
    try {
      const source = create(
        'buffer',
        `video_size=${input.width}x${input.height}:pix_fmt=${input.format}:time_base=1/1:pixel_aspect=1/1` +
          `:colorspace=${input.matrix}:range=${rangeOf(av, input)}`,
      );
      const scale = create('scale', `${EXACT_SCALING}:${output}`);
      const format = create('format', `pix_fmts=${target}`);
      const sink = create('buffersink', null);
      const linked = [source.link(0, scale, 0), scale.link(0, format, 0), format.link(0, sink, 0)];
      const failed = [...linked, await graph.config()].find((code) => code < 0);
      if (failed === undefined) return new ScalingGraph(av, name, input, graph, source, sink);
      throw mediaFault(
        name,
        `FFmpeg cannot convert its frames to ${target}: ${lib.FFmpegError.strerror(failed)}`,
        'convert it to yuv420p first',
      );
    } catch (error) {
      graph.free();
      throw error;
    }
  }

  /** @returns the converted frame, valid until the next call. */
  async convert(frame: Frame): Promise<Frame> {
    const { lib } = this.av;
    // As the graph was told, also where the stream says nothing.
    frame.colorSpace = this.input.matrix as typeof frame.colorSpace;
    frame.colorRange = rangeOf(this.av, this.input);
    this.converted.unref();
    const added = await this.source.buffersrcAddFrame(
      frame,
      // Else the graph takes the frame away.
      this.av.constants.AV_BUFFERSRC_FLAG_KEEP_REF,
    );
    const code = added < 0 ? added : await this.sink.buffersinkGetFrame(this.converted);
    if (code >= 0) return this.converted;
    throw mediaFault(
      this.name,
      `FFmpeg cannot convert a frame: ${lib.FFmpegError.strerror(code)}`,
      'convert it to yuv420p first',
    );
  }

  dispose(): void {
    this.converted.free();
    this.graph.free();
  }
}

function rangeOf({ constants }: NodeAv, { isFullRange }: FrameColour): Frame['colorRange'] {
  return isFullRange ? constants.AVCOL_RANGE_JPEG : constants.AVCOL_RANGE_MPEG;
}
