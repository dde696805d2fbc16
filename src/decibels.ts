/**
 * PSNR for people, in dB to two digits, rounded down, so that what was missed by little never reads as reached.
 *
 * @param asked in dB, as the user gave it: `38.21 of 40 dB`.
 */
export function decibels(psnr: number, asked?: number): string {
  if (psnr === Infinity) return 'infinite (no error)';
  // The least that keeps decimals such as 1.15, which times 100 is 114.99999999999999, as they are.
  const rounded = (Math.floor(psnr * 100 + 1e-9) / 100).toFixed(2);
  return asked === undefined ? `${rounded} dB` : `${rounded} of ${asked} dB`;
}
