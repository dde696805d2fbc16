import { sha256 as plainSha256 } from '@noble/hashes/sha2.js';

/**
 * SHA-256 by the platform, which is several times faster; pages that came without TLS have only the plain one.
 *
 * @param parts one after the other.
 * @returns u8 [32].
 */
export async function sha256(parts: readonly Uint8Array[]): Promise<Uint8Array> {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  const crypto: Partial<Crypto> | undefined = globalThis.crypto;
  return crypto?.subtle ? new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)) : plainSha256(bytes);
}
