import { normalCdf } from '../probit/normal.ts';

/** Half of the nodes of Gauss and Legendre and their weights: the rest are their mirror images. */
interface Quadrature {
  readonly nodes: Float64Array;
  readonly weights: Float64Array;
}

const nodeCount = 60;
let quadrature: Quadrature | undefined;

/**
 * How probable it is that of two standard normal variables of this correlation, −1 < correlation < 1, the first is below a and the
 * second below b (Drezner and Wesolowsky 1990). To about 1e-15, absolutely.
 */
export function bivariateNormalCdf(a: number, b: number, correlation: number): number {
  quadrature ??= gaussLegendre(nodeCount);
  const { nodes, weights } = quadrature;
  const half = 0.5 * Math.asin(correlation);
  const [squares, product] = [a * a + b * b, 2 * a * b];
  let sum = 0;
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[i] as number;
    for (const angle of [half * (1 - node), half * (1 + node)]) {
      const sine = Math.sin(angle);
      sum += (weights[i] as number) * Math.exp((product * sine - squares) / (2 * (1 - sine * sine)));
    }
  }
  return normalCdf(a) * normalCdf(b) + (half * sum) / (2 * Math.PI);
}

/** The density of the two at a and b. */
export function bivariateNormalDensity(a: number, b: number, correlation: number): number {
  const rest = 1 - correlation * correlation;
  return Math.exp((2 * correlation * a * b - a * a - b * b) / (2 * rest)) / (2 * Math.PI * Math.sqrt(rest));
}

/** The zeros of a Legendre polynomial of even degree by Newton's method, those above 0. */
function gaussLegendre(degree: number): Quadrature {
  const nodes = new Float64Array(degree / 2);
  const weights = new Float64Array(degree / 2);
  for (let i = 0; i < nodes.length; i++) {
    let x = Math.cos((Math.PI * (i + 0.75)) / (degree + 0.5));
    let slope = 0;
    for (let step = 0; step < 20; step++) {
      let [before, value] = [1, x];
      for (let n = 2; n <= degree; n++)
        [before, value] = [value, ((2 * n - 1) * x * value - (n - 1) * before) / n];
      slope = (degree * (x * value - before)) / (x * x - 1);
      const moved = value / slope;
      x -= moved;
      if (Math.abs(moved) < 1e-16) break;
    }
    nodes[i] = x;
    weights[i] = 2 / ((1 - x * x) * slope * slope);
  }
  return { nodes, weights };
}
