import type { NetworkFaults, SimulatedWorld } from 'mainstem/testing';
import { numbersOf } from '../helpers.ts';
import { connectChild, playChild, playDirect, playStranger } from './actors.ts';
import type { FederationOptions } from './Federation.ts';
import { Federation, isSame } from './Federation.ts';

export interface PlayOptions extends FederationOptions {
  readonly children: number;
  readonly durationMs: number;
  /** Whether the store fails now and then, and the coordinator's process dies. */
  readonly isFlaky: boolean;
}

/** What came of it. */
export interface Played {
  readonly version: number;
  readonly main: readonly number[];
  readonly counts: Readonly<Record<string, number>>;
}

/** Everybody does random things under random faults; then all is healed, and all replicas must be equal. */
export async function play(world: SimulatedWorld, options: PlayOptions): Promise<Played> {
  const federation = new Federation(world, options);
  const children = Array.from({ length: options.children }, (_, i) => `child-${i}`);
  await federation.start();
  federation.disk.isHealthy = !options.isFlaky;
  const actors = [
    ...children.map((childId) => playChild(federation, childId)),
    playDirect(federation, 'direct-0'),
    playDirect(federation, 'direct-1'),
    playStranger(federation, 'stranger', children),
    playWeather(federation, children),
    playDriver(federation),
    ...(options.isFlaky ? [playCrashes(federation)] : []),
  ];
  world.clock.schedule(() => {
    federation.isOver = true;
  }, options.durationMs);
  await Promise.all(actors);
  return finish(federation, children);
}

/** Faults come and go; so do partitions. */
async function playWeather(federation: Federation, children: readonly string[]): Promise<void> {
  const { random, world } = federation;
  const { network } = world;
  const some = (most: number): number => (random.next() < 0.5 ? 0 : most * random.next());
  while (!federation.isOver) {
    const faults: NetworkFaults = {
      drop: some(0.2),
      duplicate: some(0.3),
      reorder: some(0.3),
      cut: some(0.03),
      delayMs: [0, some(20)],
      halfOpenMs: [0, 50],
    };
    const host = children[Math.floor(children.length * random.next())] as string;
    const luck = random.next();
    if (luck < 0.5) network.setFaults(faults);
    else if (luck < 0.7) network.setFaults(faults, { from: host });
    else if (luck < 0.8) network.clearFaults();
    else if (luck < 0.9) network.partition([host]);
    else network.heal();
    await world.sleep(100 * random.next());
  }
}

async function playDriver(federation: Federation): Promise<void> {
  const { random, world } = federation;
  while (federation.options.drive === 'tick' && !federation.isOver) {
    await world.sleep(4 * random.next());
    // No budget: one slice at a time, and whatever comes in between.
    federation.tick(random.next() < 0.8 ? 0 : 10);
  }
}

async function playCrashes(federation: Federation): Promise<void> {
  const { random, world } = federation;
  while (!federation.isOver) {
    await world.sleep(600 * random.next());
    await federation.crash();
    await world.sleep(50 * random.next());
    await federation.start();
    federation.check();
  }
}

/** All is healed, everybody comes again, and a last update is published. */
async function finish(federation: Federation, children: readonly string[]): Promise<Played> {
  const { world, disk, options } = federation;
  disk.isHealthy = true;
  world.network.clearFaults();
  world.network.heal();
  await world.network.settle();
  while (!federation.tick(1000));
  const replicas = await Promise.all(children.map((childId) => connectChild(federation, childId)));
  for (let i = 0; i < (options.updatesPerMain ?? 1); i++)
    federation.add(federation.newValues(), 1, { childId: `last-${i}` });
  while (!federation.tick(1000));
  await world.network.settle();
  federation.check();
  const { coordinator, shadow } = federation;
  if (coordinator === undefined) throw new Error('the coordinator is down');
  const { version } = coordinator;
  const main = numbersOf(coordinator.getModelParameters());
  if (!isSame(main, shadow.mainAt(version)) || version !== shadow.version)
    throw new Error(
      `main ${version} is ${main}, expected version ${shadow.version}: ${shadow.mainAt(version)}`,
    );
  for (const [i, replica] of replicas.entries()) {
    const got = replica?.child.main;
    if (got?.baseVersion !== version || !isSame(numbersOf(got), main))
      throw new Error(`${children[i]} has main ${got?.baseVersion}: ${got?.values}, not ${version}: ${main}`);
  }
  for (const id of federation.acknowledged)
    if (shadow.versionOf(id) === undefined) throw new Error(`update ${id} was acknowledged and is lost`);
  return { version, main, counts: federation.counts };
}
