import { InvalidOptionError, SimulationError } from 'mainstem';
import type { SimulatedWorld, SimulationOptions } from 'mainstem/testing';
import { simulate } from 'mainstem/testing';
import { describe, expect, test } from 'vitest';

const failureOf = async (options: SimulationOptions<unknown>): Promise<SimulationError> => {
  const thrown: unknown = await simulate(options).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(SimulationError);
  return thrown as SimulationError;
};

describe('simulate', () => {
  test('time goes on while the run waits, and no further', async () => {
    const { result, tookMs, seed, statistics } = await simulate({
      async run({ clock, sleep }) {
        await sleep(10);
        await Promise.all([sleep(25), sleep(5)]);
        clock.schedule(() => {}, 1_000_000);
        return clock.now();
      },
    });
    expect([result, tookMs, seed, statistics.sent]).toEqual([35, 35, 0, 0]);
  });

  test('its frames arrive, under the faults that it was given, in the same way for the same seed', async () => {
    const run = async ({ network, sleep, random }: SimulatedWorld): Promise<number[]> => {
      const got: number[] = [];
      await network
        .transport('server')
        .listen((one) =>
          one.receive({ frame: (bytes) => void got.push(bytes[0] as number), drained() {}, closed() {} }),
        );
      const connection = await network.transport('a').connect();
      for (let i = 0; i < 20; i++) {
        connection.send(Uint8Array.of(Math.floor(256 * random.next())));
        await sleep(1);
      }
      await network.settle();
      return got;
    };
    const faults = { drop: 0.5 };
    const [first, second, other] = await Promise.all([
      simulate({ seed: 8, faults, run }),
      simulate({ seed: 8, faults, run }),
      simulate({ seed: 9, faults, run }),
    ]);
    expect(second).toEqual(first);
    expect(first?.statistics.dropped).toBeGreaterThan(0);
    expect(other?.traceHash).not.toBe(first?.traceHash);
  });

  test('a run that throws, waits for ever, or never ends says so with its seed', async () => {
    const cause = new Error('main differs');
    const thrown = await failureOf({
      seed: 1234,
      async run({ sleep }) {
        await sleep(7);
        throw cause;
      },
    });
    expect(thrown.message).toBe(
      'seed 1234, after 7 ms: main differs; replay with simulate({ seed: 1234, run })',
    );
    expect([thrown.seed, thrown.cause]).toEqual([1234, cause]);
    const stuck = await failureOf({ run: () => new Promise(() => {}) });
    expect(stuck.message).toMatch(/waits for what can never come/);
    const endless = async ({ sleep }: SimulatedWorld): Promise<void> => {
      for (;;) await sleep(10);
    };
    expect((await failureOf({ timeLimitMs: 500, run: endless })).message).toMatch(
      /seed 0, after 500 ms: the run did not end within 500 ms of virtual time/,
    );
  });

  test('what a timer throws ends it too', async () => {
    const failing = await failureOf({
      async run({ clock, sleep }) {
        clock.schedule(() => {
          throw new Error('in a timer');
        }, 3);
        await sleep(10);
      },
    });
    expect(failing.message).toMatch(/after 3 ms: in a timer/);
  });

  test('a run may wait for turns of the real event loop', async () => {
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    const { result } = await simulate({
      async run() {
        for (let i = 0; i < 10; i++) await turn();
        return 'here';
      },
    });
    expect(result).toBe('here');
  });

  test('options are checked', async () => {
    const run = (): void => {};
    for (const options of [
      { run, seed: 0.5 },
      { run, timeLimitMs: -1 },
      { run, faults: { drop: 2 } },
      {},
      { run: 3 },
    ])
      await expect(simulate(options as SimulationOptions<void>)).rejects.toBeInstanceOf(InvalidOptionError);
    await expect(simulate({ run, sead: 3 } as SimulationOptions<void>)).rejects.toThrow(/no option sead/);
  });
});
