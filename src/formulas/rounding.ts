/** To the nearest whole number; halves go away from 0, as in mathjs (Math.round sends them up). */
export function roundHalvesAway(x: number): number {
  const whole = Math.trunc(x);
  return Math.abs(x - whole) >= 0.5 ? whole + Math.sign(x) : whole;
}

/** x − y · floor(x / y), so that the sign is y's, as in mathjs; x where y is 0. */
export function modulo(x: number, y: number): number {
  return y === 0 ? x : x - y * Math.floor(x / y);
}
