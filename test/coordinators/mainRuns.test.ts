import type { Connection, ServerTransport } from 'mainstem';
import {
  Child,
  DistributedGradientsCoordinator,
  Gradients,
  InProcessTransport,
  LinearRegression,
  ModelParameters,
  seededRandom,
} from 'mainstem';
import { VirtualClock } from 'mainstem/testing';
import { describe, expect, test } from 'vitest';
import { settle } from './helpers.ts';

const length = 20_000;

/** Counts what goes to children, and can cut their connections. */
class Watch implements ServerTransport {
  readonly inner = new InProcessTransport();
  bytes = 0;
  readonly #open: Connection[] = [];

  listen(accept: (connection: Connection) => void): ReturnType<ServerTransport['listen']> {
    return this.inner.listen((connection) => {
      this.#open.push(connection);
      const send = connection.send.bind(connection);
      connection.send = (bytes) => {
        this.bytes += bytes.length;
        send(bytes);
      };
      accept(connection);
    });
  }

  cut(): void {
    for (const connection of this.#open.splice(0)) connection.close();
  }
}

async function setUp(dtype: 'float32' | 'float64' = 'float64') {
  const clock = new VirtualClock();
  const coordinator = new DistributedGradientsCoordinator({ clock, learningRate: 0.1 });
  const start = ModelParameters.fromArrays({
    wide: new Array<number>(length).fill(1 / 3),
    narrow: [1, 2, 3],
  });
  coordinator.setModelParameters(start.toDataType(dtype));
  const watch = new Watch();
  await coordinator.listen(watch);
  const child = await Child.connect({
    transport: watch.inner,
    model: new LinearRegression(),
    childId: 'a',
    clock,
    random: seededRandom(1),
  });
  /** Moves the narrow tensor, and of the wide one the first so many values. */
  const move = async (count: number): Promise<number> => {
    const before = watch.bytes;
    const wide = Array.from({ length }, (_, i) => (i < count ? 1 : 0));
    coordinator.addGradients(Gradients.fromArrays({ wide, narrow: [1, -1, 0] }, { sampleCount: 1 }));
    await settle();
    await settle();
    return watch.bytes - before;
  };
  const expectSame = (): void => {
    const main = coordinator.getModelParameters();
    expect([child.version, child.main?.values]).toEqual([coordinator.version, main.values]);
  };
  return { clock, coordinator, watch, child, move, expectSame };
}

describe('main', () => {
  test.each([
    'float32',
    'float64',
  ] as const)('travels as what has changed, where that is little, in %s', async (dtype) => {
    const { move, expectSame } = await setUp(dtype);
    const size = dtype === 'float32' ? 4 : 8;
    for (const count of [0, 10, 1_000]) {
      expect(await move(count)).toBeLessThan(size * (count + 8) + 200);
      expectSame();
    }
    expect(await move(length)).toBeGreaterThan(size * length);
    expectSame();
    expect(await move(0)).toBeLessThan(300);
    expectSame();
  });

  test('comes as a difference to what a child has that comes back, where that is the one before', async () => {
    const { clock, watch, move, expectSame } = await setUp();
    const comeBack = async (): Promise<number> => {
      const before = watch.bytes;
      clock.advance(30_000);
      for (let i = 0; i < 5; i++) await settle();
      expectSame();
      return watch.bytes - before;
    };
    await move(3);
    watch.cut();
    await settle();
    await move(5);
    // With its welcome and its layout.
    expect(await comeBack()).toBeLessThan(1_500);
    // Somebody else gets one that the child does not see.
    watch.cut();
    await settle();
    await move(5);
    await Child.connect({
      transport: watch.inner,
      model: new LinearRegression(),
      childId: 'b',
      clock,
      random: seededRandom(2),
    });
    await move(5);
    const own = await comeBack();
    expect(own).toBeGreaterThan(8 * length);
  });
});
