/** Pixels of a digit, row by row: 8 × 8, from 0 (paper) to 16 (ink). */
export const pixelsPerDigit = 64;
export const inkMax = 16;
