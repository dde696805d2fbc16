// What needs Node: files, and images through node-av.
export { FileSource } from './io/file-source-node.js';
export { FileSink } from './io/file-sink-node.js';
export { FileTarget } from './io/file-target-node.js';
export { decodeImage, readImage } from './media/read-image.js';
export { encodeImage } from './media/encode-image.js';
export { writeImage } from './media/write-image.js';
export type { WriteImageOptions } from './media/write-image.js';
export { imageFormatOf } from './media/image-format.js';
export type { ImageFormat, Picture } from './media/image-format.js';
export { readVolume } from './media/read-volume.js';
export { writeVolume } from './media/write-volume.js';
export type { VolumeSamples } from './media/write-volume.js';
export { decodeMesh, readMesh } from './media/read-mesh.js';
export type { Mesh } from './media/mesh.js';
export { voxelise } from './media/voxelise.js';
export type { Occupancy, VoxeliseOptions } from './media/voxelise.js';
export { readShape, shapeVolume } from './media/read-shape.js';
export type { ReadShapeOptions } from './media/read-shape.js';
export { readMedia } from './media/read-media.js';
export type { ReadMediaOptions } from './media/read-media.js';
export { readAudio } from './media/read-audio.js';
export { resampleSound } from './media/resample-sound.js';
export { retimeFrames } from './media/retime-frames.js';
export { writeAudio } from './media/write-audio.js';
export type {
  AudioFormat,
  BitDepth,
  SoundSamples,
  WriteAudioOptions,
  WrittenSound,
} from './media/write-audio.js';
export { readVideo, readVideoWithSound } from './media/read-video.js';
export type { ReadVideoOptions } from './media/read-video.js';
export { writeVideo } from './media/write-video.js';
export type { VideoFrames, WrittenVideo } from './media/write-video.js';
export { surfaceOf } from './media/surface.js';
export type { ShapeSamples } from './media/surface.js';
export { writeMesh } from './media/write-mesh.js';
