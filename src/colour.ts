/** What the colour channels mean, as the code points of ITU-T H.273 (CICP); 2 is "unspecified". */
export interface Colour {
  /** ColourPrimaries; 1 for BT.709 and sRGB. */
  readonly primaries: number;
  /** TransferCharacteristics; 13 for sRGB. */
  readonly transfer: number;
  /** MatrixCoefficients; 0 for RGB and grey, the only forms samples take here. */
  readonly matrix: number;
  readonly fullRange: boolean;
}

/** sRGB: primaries of BT.709, the sRGB transfer function, full range. */
export const SRGB: Colour = { primaries: 1, transfer: 13, matrix: 0, fullRange: true };
