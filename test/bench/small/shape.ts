import { readFile, stat } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { memoryMedia } from '../../../src/media/media.js';
import { readMesh } from '../../../src/media/read-mesh.js';
import { voxelise } from '../../../src/media/voxelise.js';
import { Draco } from './draco.js';
import { encodeOwn } from './own.js';
import { leastSetting, type SmallRow } from './row.js';

/** Seconds that shapes are trained for. */
const SHAPE_SECONDS = 60;

/** Parameters of our files: of the preset, and of one that comes to about the paper's quality. */
const PARAMETERS = [undefined, 25_000] as const;

/** A mesh as it is, by our preset, and by gzip and Draco; quality is that of the solid on 256 voxels per axis. */
export async function shapeRows(path: string): Promise<SmallRow[]> {
  const rows: SmallRow[] = [
    { codec: 'the file as it is', bytes: (await stat(path)).size, quality: 'the mesh' },
    {
      codec: 'gzip of it, level 9',
      bytes: gzipSync(await readFile(path), { level: 9 }).length,
      quality: 'the mesh',
    },
  ];
  const mesh = await readMesh(path);
  const { data, shape } = await voxelise(mesh);
  const media = memoryMedia({ kind: 'shape', data, shape, channels: 1 });
  const overlapWith = (other: Uint8Array): number => {
    let [both, either] = [0, 0];
    for (let i = 0; i < data.length; i++) {
      const [a, b] = [data[i] > 127, other[i] > 127];
      if (a && b) both++;
      if (a || b) either++;
    }
    return both / either;
  };
  const overlaps: number[] = [];
  for (const params of PARAMETERS) {
    const {
      bytes,
      iou = 0,
      seconds,
    } = await encodeOwn(media, {
      preset: 'small',
      seconds: SHAPE_SECONDS,
      ...(params !== undefined && { params }),
    });
    overlaps.push(iou);
    rows.push({
      codec: `LGI, \`--preset small --time ${SHAPE_SECONDS}${params === undefined ? '' : ` --params ${params}`}\``,
      bytes,
      quality: `IoU ${iou.toFixed(4)}`,
      seconds,
    });
  }
  const draco = await Draco.load();
  for (const overlap of overlaps) {
    const found = await leastSetting(
      6,
      16,
      async (bits) => {
        const file = draco.encode(mesh, bits);
        return { file, iou: overlapWith((await voxelise(draco.decode(file))).data) };
      },
      ({ iou }) => iou >= overlap,
    );
    if (found === undefined) continue;
    rows.push({
      codec: `Draco, ${found.setting} bits a coordinate`,
      bytes: found.result.file.length,
      quality: `IoU ${found.result.iou.toFixed(4)}`,
    });
  }
  return rows;
}
