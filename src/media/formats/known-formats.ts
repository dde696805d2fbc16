import { anyOf, archiveOf, magic, textOf, type FileStart, type MediaFormat } from './media-format.js';
import { brandsOf, isJpegLs } from './read-formats.js';

const TO_PICTURE = 'convert it to PNG first';
const TO_MESH = 'export it as OBJ, STL or PLY';
const TO_VOLUME = 'convert it to NIfTI or .npy first';
const TO_SOUND = 'convert it to WAV or FLAC first';
const UNPACK = 'unpack it first';
const CHECK_URL = 'check where it came from: servers give such a page in place of a file';

function hasBrand(...wanted: readonly string[]): (start: FileStart) => boolean {
  return (start) => brandsOf(start).some((brand) => wanted.includes(brand));
}

const isAvif = hasBrand('avif', 'avis');
const isHeif = hasBrand('heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'mif1', 'msf1');

/** Root elements of XML documents that people take for media. */
const isSvg = textOf(/^(<\?xml[^>]*>\s*|<!--[\s\S]*?-->\s*|<!doctype\s+svg[^>]*>\s*)*<([a-z]+:)?svg\b/i);
const isHtml = textOf(/^(<\?xml[^>]*>\s*|<!--[\s\S]*?-->\s*)*<(!doctype html|html|head|body|meta|script)\b/i);

/** Formats that are known by their beginnings and not read, each with what to do. The first that fits counts. */
export const KNOWN_FORMATS: readonly MediaFormat[] = [
  { name: 'an LGI file already', matches: magic('\x91LGI'), nextStep: 'decode it first to encode it again' },
  { name: 'a JPEG-LS picture', matches: isJpegLs, nextStep: TO_PICTURE },
  { name: 'an AVIF picture', matches: isAvif, nextStep: TO_PICTURE },
  { name: 'a HEIC picture', matches: (s) => isHeif(s) && !isAvif(s), nextStep: TO_PICTURE },
  { name: 'a Canon raw picture', matches: anyOf(hasBrand('crx '), magic('CR', 8)), nextStep: TO_PICTURE },
  { name: 'a TIFF picture', matches: anyOf(magic('II*\0'), magic('MM\0*')), nextStep: TO_PICTURE },
  { name: 'a BigTIFF picture', matches: anyOf(magic('II+\0'), magic('MM\0+')), nextStep: TO_PICTURE },
  { name: 'a BMP picture', matches: (s) => magic('BM')(s) && s.plain === '', nextStep: TO_PICTURE },
  { name: 'a JPEG XL picture', matches: anyOf(magic('\xff\x0a'), magic('JXL ', 4)), nextStep: TO_PICTURE },
  {
    name: 'a JPEG 2000 picture',
    matches: anyOf(magic('jP  ', 4), magic('\xff\x4f\xff\x51')),
    nextStep: TO_PICTURE,
  },
  { name: 'a JPEG XR picture', matches: magic('II\xbc\x01'), nextStep: TO_PICTURE },
  { name: 'a Photoshop picture', matches: magic('8BPS'), nextStep: TO_PICTURE },
  { name: 'a GIMP picture', matches: magic('gimp xcf'), nextStep: TO_PICTURE },
  { name: 'an OpenEXR picture', matches: magic('v/1\x01'), nextStep: TO_PICTURE },
  {
    name: 'a Radiance HDR picture',
    matches: anyOf(magic('#?RADIANCE'), magic('#?RGBE')),
    nextStep: TO_PICTURE,
  },
  { name: 'a DirectDraw texture', matches: magic('DDS '), nextStep: TO_PICTURE },
  { name: 'a KTX texture', matches: magic('\xabKTX '), nextStep: TO_PICTURE },
  { name: 'a QOI picture', matches: magic('qoif'), nextStep: TO_PICTURE },
  { name: 'a FLIF picture', matches: magic('FLIF'), nextStep: TO_PICTURE },
  { name: 'a DPX picture', matches: anyOf(magic('SDPX'), magic('XPDS')), nextStep: TO_PICTURE },
  { name: 'an icon', matches: anyOf(magic('\0\0\x01\0'), magic('\0\0\x02\0')), nextStep: TO_PICTURE },
  { name: 'a Netpbm picture', matches: ({ text }) => /^P[1-7fF]\s/.test(text), nextStep: TO_PICTURE },
  { name: 'an SVG drawing', matches: isSvg, nextStep: 'render it to PNG first' },
  {
    name: 'a PDF document',
    matches: ({ text }) => text.slice(0, 1024).includes('%PDF-'),
    nextStep: 'export its pages as PNG first',
  },
  {
    name: 'a PostScript document',
    matches: anyOf(magic('%!'), magic('\xc5\xd0\xd3\xc6')),
    nextStep: 'render it to PNG first',
  },
  { name: 'a DICOM file', matches: magic('DICM', 128), nextStep: TO_VOLUME },
  { name: 'an HDF5 file', matches: magic('\x89HDF\r\n\x1a\n'), nextStep: TO_VOLUME },
  {
    name: 'a NetCDF file',
    matches: anyOf(magic('CDF\x01'), magic('CDF\x02'), magic('CDF\x05')),
    nextStep: TO_VOLUME,
  },
  { name: 'a MATLAB file', matches: magic('MATLAB 5.0'), nextStep: TO_VOLUME },
  { name: 'a FITS file', matches: magic('SIMPLE  ='), nextStep: TO_VOLUME },
  { name: 'an NRRD volume', matches: magic('NRRD000'), nextStep: TO_VOLUME },
  { name: 'a MetaImage volume', matches: textOf(/^(ObjectType|NDims)\s*=/), nextStep: TO_VOLUME },
  { name: 'an MRC volume', matches: magic('MAP ', 208), nextStep: TO_VOLUME },
  { name: 'a VTK file', matches: magic('# vtk DataFile'), nextStep: `${TO_VOLUME}, or export a mesh as STL` },
  { name: 'an OpenVDB volume', matches: magic(' BDV'), nextStep: TO_VOLUME },
  {
    name: 'a Parquet file',
    matches: magic('PAR1'),
    nextStep: 'give a picture, sound, video, volume or mesh',
  },
  {
    name: 'a NumPy pickle',
    matches: magic('\x80\x04\x95'),
    nextStep: "save one array with np.save('volume.npy', array)",
  },
  { name: 'a USDZ scene', matches: archiveOf(/\.usd[abc]?$/i), nextStep: TO_MESH },
  { name: 'a USD scene', matches: anyOf(magic('PXR-USDC'), textOf(/^#usda/)), nextStep: TO_MESH },
  { name: 'an FBX scene', matches: anyOf(magic('Kaydara FBX'), textOf(/^; FBX/)), nextStep: TO_MESH },
  { name: 'a Blender scene', matches: magic('BLENDER'), nextStep: TO_MESH },
  { name: 'a STEP model', matches: textOf(/^ISO-10303-21/), nextStep: TO_MESH },
  { name: 'a Collada scene', matches: textOf(/^(<\?xml[^>]*>\s*)?<COLLADA\b/), nextStep: TO_MESH },
  {
    name: 'an X3D or VRML scene',
    matches: textOf(/^(#VRML|#X3D|(<\?xml[^>]*>\s*)?(<!DOCTYPE X3D[^>]*>\s*)?<X3D\b)/),
    nextStep: TO_MESH,
  },
  {
    name: 'a MIDI file',
    matches: magic('MThd'),
    nextStep: 'it has notes and no sound; render it to WAV first',
  },
  {
    name: 'a Flash animation',
    matches: ({ text }) => /^[FCZ]WS[\x01-\x40]/.test(text),
    nextStep: 'convert it to MP4 first',
  },
  {
    name: 'a playlist',
    matches: textOf(/^(#EXTM3U|\[playlist\]|ffconcat version|<asx\b|<smil\b)/i),
    nextStep: 'give the file that it names',
  },
  {
    name: 'a session description',
    matches: textOf(/^v=0\r?\no=/),
    nextStep: 'record the stream to a file first',
  },
  {
    name: 'subtitles',
    matches: textOf(/^(WEBVTT|1\r?\n\d\d:\d\d:\d\d[,.]\d\d\d --> )/),
    nextStep: 'give the video itself',
  },
  { name: 'a GSM or raw speech sound', matches: magic('NIST_1A'), nextStep: TO_SOUND },
  {
    name: 'a spreadsheet, document or presentation',
    matches: archiveOf(/^(word|xl|ppt)\//),
    nextStep: 'export its pictures as PNG',
  },
  {
    name: 'an OpenDocument file',
    matches: archiveOf(/^META-INF\/manifest\.xml$/),
    nextStep: 'export its pictures as PNG',
  },
  { name: 'a ZIP archive', matches: anyOf(magic('PK\x03\x04'), magic('PK\x05\x06')), nextStep: UNPACK },
  { name: 'a RAR archive', matches: magic('Rar!\x1a\x07'), nextStep: UNPACK },
  { name: 'a 7z archive', matches: magic('7z\xbc\xaf\x27\x1c'), nextStep: UNPACK },
  { name: 'an xz file', matches: magic('\xfd7zXZ\0'), nextStep: UNPACK },
  { name: 'a Zstandard file', matches: magic('\x28\xb5\x2f\xfd'), nextStep: UNPACK },
  { name: 'a bzip2 file', matches: magic('BZh'), nextStep: UNPACK },
  { name: 'an LZ4 file', matches: magic('\x04\x22\x4d\x18'), nextStep: UNPACK },
  { name: 'a gzip file', matches: magic('\x1f\x8b'), nextStep: UNPACK },
  { name: 'a tar archive', matches: magic('ustar', 257), nextStep: UNPACK },
  {
    name: 'an SQLite database',
    matches: magic('SQLite format 3\0'),
    nextStep: 'give a picture, sound, video, volume or mesh',
  },
  {
    name: 'a program',
    matches: anyOf(magic('\x7fELF'), magic('MZ\x90'), textOf(/^#!\s*\//)),
    nextStep: 'give a picture, sound, video, volume or mesh',
  },
  { name: 'an HTML page', matches: isHtml, nextStep: CHECK_URL },
  { name: 'an XML document', matches: textOf(/^<(\?xml|[a-z_]+[\s>])/i), nextStep: CHECK_URL },
  {
    name: 'a Git LFS pointer',
    matches: textOf(/^version https:\/\/git-lfs\./),
    nextStep: "get the file itself, as by 'git lfs pull'",
  },
  { name: 'JSON', matches: textOf(/^[{[]\s*("|\{|\[|\}|\]|-?\d)/), nextStep: CHECK_URL },
];
