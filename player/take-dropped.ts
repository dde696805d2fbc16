import { LgiError } from '../codec/errors.js';
import type { LgiPlayer } from './player.js';

/**
 * Does with a dropped file what whoever dropped it expects: a picture is encoded and shown, an LGI file joined into what is shown where
 * it is of the same family, and else opened.
 *
 * @param tell says how far encoding has come; undefined: nothing is to be said.
 * @throws LgiError as `open`, `join` and `encode` of the player.
 */
export async function takeDropped(
  player: LgiPlayer,
  file: Blob,
  tell: (text: string | undefined) => void,
): Promise<void> {
  if (file.type.startsWith('image/')) await player.open(await encodeDropped(player, file, tell));
  else if (player.file === undefined) await player.open(file);
  else {
    await player.join(file).catch(async (error: unknown) => {
      // Of another family: it is what the person wants to see.
      if (error instanceof LgiError && error.code === 'conflict') await player.open(file);
      else throw error;
    });
  }
}

async function encodeDropped(
  player: LgiPlayer,
  file: Blob,
  tell: (text: string | undefined) => void,
): Promise<Blob> {
  try {
    const { bytes } = await player.encode(file, {
      onProgress: ({ fraction = 0, psnr }) =>
        tell(`Encoding: ${Math.round(100 * fraction)} %, ${psnr.toFixed(1)} dB`),
    });
    return new Blob([bytes]);
  } finally {
    tell(undefined);
  }
}
