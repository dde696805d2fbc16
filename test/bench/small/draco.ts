// Draco, the usual coder of meshes. Its package has no types: these are the parts that are used.
import type { Mesh } from '../../../src/media/mesh.js';

interface Freed {
  readonly __dracoObject?: never;
}

interface Int32s extends Freed {
  GetValue(i: number): number;
}

interface Attribute extends Freed {
  readonly __dracoAttribute?: never;
}

interface Geometry extends Freed {
  num_faces(): number;
  num_points(): number;
}

interface EncoderModule {
  readonly Encoder: new () => Freed & {
    SetSpeedOptions(encoding: number, decoding: number): void;
    SetAttributeQuantization(attribute: number, bits: number): void;
    EncodeMeshToDracoBuffer(mesh: Geometry, into: Int32s): number;
  };
  readonly MeshBuilder: new () => Freed & {
    AddFacesToMesh(mesh: Geometry, faces: number, indices: Uint32Array): void;
    AddFloatAttributeToMesh(
      mesh: Geometry,
      attribute: number,
      points: number,
      components: number,
      values: Float32Array,
    ): number;
  };
  readonly Mesh: new () => Geometry;
  readonly DracoInt8Array: new () => Int32s;
  readonly POSITION: number;
  destroy(object: Freed): void;
}

interface DecoderModule {
  readonly DecoderBuffer: new () => Freed & { Init(bytes: Int8Array, length: number): void };
  readonly Decoder: new () => Freed & {
    DecodeBufferToMesh(buffer: Freed, mesh: Geometry): { ok(): boolean };
    GetFaceFromMesh(mesh: Geometry, face: number, into: Int32s): boolean;
    GetAttributeId(mesh: Geometry, attribute: number): number;
    GetAttribute(mesh: Geometry, id: number): Attribute;
    GetAttributeFloatForAllPoints(mesh: Geometry, attribute: Attribute, into: Int32s): boolean;
  };
  readonly Mesh: new () => Geometry;
  readonly DracoInt32Array: new () => Int32s;
  readonly DracoFloat32Array: new () => Int32s;
  readonly POSITION: number;
  destroy(object: Freed): void;
}

/** Encodes and decodes meshes of positions. */
export class Draco {
  private constructor(
    private readonly encoding: EncoderModule,
    private readonly decoding: DecoderModule,
  ) {}

  static async load(): Promise<Draco> {
    // @ts-expect-error no types
    const { default: draco } = (await import('draco3d')) as {
      default: {
        createEncoderModule(options: object): Promise<EncoderModule>;
        createDecoderModule(options: object): Promise<DecoderModule>;
      };
    };
    return new Draco(await draco.createEncoderModule({}), await draco.createDecoderModule({}));
  }

  /** @param bits of each coordinate. */
  encode({ positions, indices }: Mesh, bits: number): Uint8Array {
    const { encoding } = this;
    const [encoder, builder, mesh, into] = [
      new encoding.Encoder(),
      new encoding.MeshBuilder(),
      new encoding.Mesh(),
      new encoding.DracoInt8Array(),
    ];
    try {
      builder.AddFacesToMesh(mesh, indices.length / 3, indices);
      builder.AddFloatAttributeToMesh(
        mesh,
        encoding.POSITION,
        positions.length / 3,
        3,
        Float32Array.from(positions),
      );
      // The slowest: fewest bytes.
      encoder.SetSpeedOptions(0, 0);
      encoder.SetAttributeQuantization(encoding.POSITION, bits);
      const length = encoder.EncodeMeshToDracoBuffer(mesh, into);
      if (length === 0) throw new Error('Draco encodes nothing of the mesh');
      return Uint8Array.from({ length }, (_, i) => into.GetValue(i));
    } finally {
      for (const each of [encoder, builder, mesh, into]) encoding.destroy(each);
    }
  }

  decode(bytes: Uint8Array): Mesh {
    const { decoding } = this;
    const [buffer, decoder, mesh] = [
      new decoding.DecoderBuffer(),
      new decoding.Decoder(),
      new decoding.Mesh(),
    ];
    const [face, values] = [new decoding.DracoInt32Array(), new decoding.DracoFloat32Array()];
    try {
      buffer.Init(new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length), bytes.length);
      if (!decoder.DecodeBufferToMesh(buffer, mesh).ok()) throw new Error('Draco does not read its own file');
      const indices = new Uint32Array(3 * mesh.num_faces());
      for (let i = 0; i < mesh.num_faces(); i++) {
        decoder.GetFaceFromMesh(mesh, i, face);
        for (let corner = 0; corner < 3; corner++) indices[3 * i + corner] = face.GetValue(corner);
      }
      const id = decoder.GetAttributeId(mesh, decoding.POSITION);
      decoder.GetAttributeFloatForAllPoints(mesh, decoder.GetAttribute(mesh, id), values);
      return {
        positions: Float32Array.from({ length: 3 * mesh.num_points() }, (_, i) => values.GetValue(i)),
        indices,
      };
    } finally {
      for (const each of [buffer, decoder, mesh, face, values]) decoding.destroy(each);
    }
  }
}
