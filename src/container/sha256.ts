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
  if (crypto?.subtle) return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  // Who has the other does without: a page need not load it.
  return (await import('@noble/hashes/sha2.js')).sha256(bytes);
}
