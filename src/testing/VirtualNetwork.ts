import { ConnectionRefusedError, InvalidOptionError, LimitExceededError } from '../errors.ts';
import { idLengthMax, virtualNetworkLimits } from '../limits.ts';
import { checkOptions, expecting } from '../models/options.ts';
import { seededRandom } from '../random.ts';
import { show } from '../show.ts';
import type { Connection, Listener, Transport } from '../transport/Transport.ts';
import type { SettleOptions, SettleOutcome } from './driveTime.ts';
import { settleTime } from './driveTime.ts';
import type { NetworkEvent, NetworkStatistics } from './NetworkTrace.ts';
import { NetworkTrace } from './NetworkTrace.ts';
import type { NetworkFaults, ResolvedFaults } from './networkFaults.ts';
import { resolveFaults } from './networkFaults.ts';
import { VirtualClock } from './VirtualClock.ts';
import type { NetworkWires } from './VirtualConnection.ts';
import { VirtualLink } from './VirtualConnection.ts';

/** Options of VirtualNetwork. */
export interface VirtualNetworkOptions {
  /** Integer that fixes all that happens by chance, 0. */
  seed?: number;
  /** Its time; a new VirtualClock unless given. Give the coordinator the same. */
  clock?: VirtualClock;
  /** What goes wrong everywhere; nothing unless given. */
  faults?: NetworkFaults;
}

/** The frames that faults are meant for: those from a host, to a host, or both. */
export interface NetworkLink {
  from?: string;
  to?: string;
}

/** A host that listens, and the connections that it has accepted. */
interface Listening {
  readonly accept: (connection: Connection) => void;
  readonly links: Set<VirtualLink>;
}

const hostName = expecting(
  `a name of 1 to ${idLengthMax} characters`,
  (value) => typeof value === 'string' && value.length > 0 && value.length <= idLengthMax,
);
const linkChecks = { from: hostName, to: hostName };
const optionChecks = {
  seed: expecting('an integer', Number.isSafeInteger),
  clock: expecting('a VirtualClock', (value) => typeof (value as VirtualClock)?.runNext === 'function'),
  faults: (value: unknown): void => {
    resolveFaults(value as NetworkFaults);
  },
};

/**
 * A whole network in one thread at virtual time, with faults from a seed: the same seed and the same program give
 * the same run, bit for bit. Without faults it keeps the contract of a Transport; see NetworkFaults for what each
 * fault does to it.
 *
 * ```ts
 * const network = new VirtualNetwork({ seed: 7, faults: { delayMs: [5, 50] } });
 * const coordinator = new DistributedModelParametersCoordinator({ clock: network.clock });
 * await coordinator.listen(network.transport('coordinator'));
 * const a = Child.connect({ transport: network.transport('a'), model: modelA, childId: 'a' });
 * const b = Child.connect({ transport: network.transport('b'), model: modelB, childId: 'b' });
 * await network.settle();             // both are welcomed
 * network.partition(['a']);           // from now on, nothing passes between a and the others
 * const training = (await b).train(rows, labels, { clock: network.clock });
 * await network.settle();             // b's update is merged; a does not hear of it
 * network.heal();                     // a's connection lost a main: it breaks, and a may come again
 * await network.settle();
 * ```
 */
export class VirtualNetwork {
  readonly clock: VirtualClock;
  readonly #wires: NetworkWires;
  readonly #trace = new NetworkTrace();
  readonly #listening = new Map<string, Listening>();
  readonly #links = new Set<VirtualLink>();
  readonly #linkFaults = new Map<string, ResolvedFaults>();
  #faults: ResolvedFaults;
  #partitions: ((host: string) => 'a' | 'b' | undefined)[] = [];
  #connections = 0;

  /** Throws InvalidOptionError for an illegal option. */
  constructor(options: VirtualNetworkOptions = {}) {
    const checked = checkOptions<VirtualNetworkOptions>(options, optionChecks);
    const { seed = 0, clock = new VirtualClock(), faults = {} } = checked;
    this.clock = clock;
    this.#faults = resolveFaults(faults);
    this.#wires = {
      clock,
      random: seededRandom(seed),
      trace: this.#trace,
      faults: (from, to) => this.#faultsOf(from, to),
      isParted: (from, to) => this.#isParted(from, to),
      ended: (link) => {
        this.#links.delete(link);
        this.#listening.get(link.far.host)?.links.delete(link);
      },
    };
  }

  /**
   * The network as this host sees it. `connect` goes to the host `to`; unless given, to the only one that listens.
   * It resolves at once, and the listener hears of it after the link's delay.
   */
  transport(host: string, options: { to?: string } = {}): Transport {
    hostName(host, 'host');
    const { to } = checkOptions<{ to?: string }>(options, { to: hostName });
    return {
      listen: async (accept) => this.#listen(host, accept),
      connect: async () => this.#connect(host, to ?? this.#onlyListener()),
    };
  }

  /**
   * From now on these faults, and no others, on this link; everywhere unless given. Faults from and to a host go
   * before those from a host, these before those to a host, and these before those of everywhere. Throws
   * InvalidOptionError, and then nothing has changed.
   */
  setFaults(faults: NetworkFaults, link: NetworkLink = {}): void {
    const resolved = resolveFaults(faults);
    const { from, to } = checkOptions<NetworkLink>(link, linkChecks);
    if (from === undefined && to === undefined) {
      this.#faults = resolved;
      return;
    }
    const { linksMax } = virtualNetworkLimits;
    const key = linkKey(from, to);
    if (!this.#linkFaults.has(key) && this.#linkFaults.size >= linksMax)
      throw new LimitExceededError(`${linksMax} links have faults of their own, no more are allowed`);
    this.#linkFaults.set(key, resolved);
  }

  /** Switches all faults off, everywhere. Partitions stay. */
  clearFaults(): void {
    this.#faults = resolveFaults({});
    this.#linkFaults.clear();
  }

  /**
   * Breaks the connections of a host, or those to `from`, and returns how many. What is on its way is lost. The host
   * hears of it next, with an error; the other end `halfOpenMs` later (0), and what it sends until then is lost.
   */
  cut(host: string, options: { from?: string; halfOpenMs?: number } = {}): number {
    hostName(host, 'host');
    const { from, halfOpenMs = 0 } = checkOptions<{ from?: string; halfOpenMs?: number }>(options, {
      from: hostName,
      halfOpenMs: expecting(
        'milliseconds, 0 or more',
        (value) => Number.isFinite(value) && Number(value) >= 0,
      ),
    });
    let count = 0;
    for (const link of this.#links) {
      const end = [link.near, link.far].find((one) => one.host === host);
      if (end === undefined || link.isCut || (from !== undefined && end.peer !== from)) continue;
      link.cut(end, `the connection of ${host} was cut`, halfOpenMs);
      count++;
    }
    return count;
  }

  /**
   * From now on nothing passes between the hosts of one group and those of the other (all others, unless given):
   * frames on their way are lost too, and new connections are refused. Partitions add up until `heal`.
   */
  partition(groupA: readonly string[], groupB?: readonly string[]): void {
    const a = checkGroup(groupA, 'groupA');
    const b = groupB === undefined ? undefined : checkGroup(groupB, 'groupB');
    const both = [...a].find((host) => b?.has(host));
    if (both !== undefined) throw new InvalidOptionError(`${both} is on both sides of a partition`);
    const { partitionsMax } = virtualNetworkLimits;
    if (this.#partitions.length >= partitionsMax)
      throw new LimitExceededError(`there are ${partitionsMax} partitions, no more are allowed; heal them`);
    this.#partitions.push((host) => {
      if (a.has(host)) return 'a';
      return b === undefined || b.has(host) ? 'b' : undefined;
    });
  }

  /**
   * Ends all partitions. A connection that has lost something in one breaks at both ends, as it would over TCP:
   * so partitions keep the contract of a Connection.
   */
  heal(): void {
    this.#partitions = [];
    for (const link of this.#links) {
      if (link.hasLost) link.cut(link.near, 'the connection broke in a partition', 0);
    }
  }

  /**
   * Lets virtual time pass until nothing is left to happen: no frame on its way, no timer, no promise of theirs.
   * See SettleOutcome for how else it may end. What waits for real time (a model that trains asynchronously without
   * `clock: network.clock`) is not waited for, and does not replay.
   */
  settle(options: SettleOptions = {}): Promise<SettleOutcome> {
    return settleTime(this.clock, options);
  }

  /** What has been counted so far. */
  get statistics(): NetworkStatistics {
    return this.#trace.statistics;
  }

  /** The last events (at most 1,000), the oldest first. */
  get trace(): NetworkEvent[] {
    return this.#trace.events;
  }

  /** 16 hexadecimal digits made of every event so far, its time, and the bytes of every frame: to compare runs by. */
  get traceHash(): string {
    return this.#trace.hash;
  }

  #listen(host: string, accept: (connection: Connection) => void): Listener {
    if (this.#listening.has(host)) throw new ConnectionRefusedError(`${host} listens already`);
    const listening: Listening = { accept, links: new Set() };
    this.#listening.set(host, listening);
    return {
      close: async () => {
        if (this.#listening.get(host) !== listening) return;
        this.#listening.delete(host);
        for (const link of listening.links) link.far.close();
      },
    };
  }

  #connect(from: string, to: string): Connection {
    const listening = this.#listening.get(to);
    if (listening === undefined) throw new ConnectionRefusedError(`nobody listens at ${to}`);
    if (this.#isParted(from, to))
      throw new ConnectionRefusedError(`a partition is between ${from} and ${to}`);
    const { connectionsMax } = virtualNetworkLimits;
    if (this.#links.size >= connectionsMax)
      throw new LimitExceededError(`${connectionsMax} connections are open, no more are allowed`);
    const link = new VirtualLink(this.#wires, ++this.#connections, from, to);
    this.#links.add(link);
    listening.links.add(link);
    link.record('connect', link.near);
    link.far.open(() => {
      if (this.#isParted(from, to)) link.cut(link.near, `a partition is between ${from} and ${to}`, 0);
      else listening.accept(link.far);
    });
    return link.near;
  }

  #onlyListener(): string {
    const hosts = [...this.#listening.keys()];
    if (hosts.length === 1) return hosts[0] as string;
    throw new ConnectionRefusedError(
      hosts.length === 0
        ? 'nobody listens on this network; call coordinator.listen first'
        : `${show(hosts)} listen; say whom to connect to: network.transport(host, { to })`,
    );
  }

  #faultsOf(from: string, to: string): ResolvedFaults {
    const of = this.#linkFaults;
    if (of.size === 0) return this.#faults;
    return (
      of.get(linkKey(from, to)) ??
      of.get(linkKey(from, undefined)) ??
      of.get(linkKey(undefined, to)) ??
      this.#faults
    );
  }

  #isParted(from: string, to: string): boolean {
    return this.#partitions.some((sideOf) => {
      const side = sideOf(from);
      const other = sideOf(to);
      return side !== undefined && other !== undefined && side !== other;
    });
  }
}

function linkKey(from: string | undefined, to: string | undefined): string {
  return JSON.stringify([from ?? null, to ?? null]);
}

function checkGroup(hosts: readonly string[], name: string): Set<string> {
  if (!Array.isArray(hosts) || hosts.length === 0)
    throw new InvalidOptionError(`${name} is ${show(hosts)}, expected a list of hosts`);
  for (const host of hosts) hostName(host, `a host of ${name}`);
  return new Set(hosts);
}
