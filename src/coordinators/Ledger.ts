import type { Store, StoreOperation } from '../storage/Store.ts';
import { Journal } from './Journal.ts';
import type { MainState } from './MainState.ts';
import type { Member, Membership } from './Membership.ts';
import { decodeMember, decodeTensors, encodeMember, encodeTensors } from './persistence.ts';
import type { Settlement } from './receipts.ts';

const mainKey = 'main';
const childPrefix = 'child/';

/** Reads a record of this federation. */
export type ReadRecord = (key: string) => Promise<Uint8Array | undefined>;

/** What a coordinator keeps in its store: main, and which updates of which child are in it. */
export class Ledger {
  readonly #store: Store;
  readonly #prefix: string;
  readonly #journal: Journal;

  constructor(
    store: Store,
    federation: string,
    events: { committed: () => void; failed: (error: Error) => void },
  ) {
    this.#store = store;
    this.#prefix = `${encodeURIComponent(federation)}/`;
    this.#journal = new Journal(store, events.committed, events.failed);
  }

  /** Resolves when nothing waits to be written. */
  get idle(): Promise<void> {
    return this.#journal.idle;
  }

  /** Writes main, these members and `more` in one batch, and settles the promises when it is durable. */
  commit(
    main: MainState,
    members: readonly Member[],
    more: readonly StoreOperation[],
    settlements: readonly Settlement[],
  ): void {
    const { layout, dtype, version, values } = main;
    if (layout === undefined) return;
    const named = members.filter(({ isAnonymous }) => !isAnonymous);
    const operations = [
      { key: mainKey, value: encodeTensors(layout, values, { version, outerDtype: dtype }) },
      ...named.map((member) => ({
        key: childPrefix + encodeURIComponent(member.id),
        value: encodeMember(member),
      })),
      ...more,
    ];
    const prefixed = operations.map(({ key, value }) => ({ key: this.#prefix + key, value }));
    this.#journal.add({ operations: prefixed, settlements });
  }

  /** A record of this federation. */
  readonly read: ReadRecord = async (key) => this.#store.get(this.#prefix + key);

  /** Puts main and members back; false where there is no main in the store. */
  async restore(main: MainState, membership: Membership): Promise<boolean> {
    const stored = await this.read(mainKey);
    if (stored === undefined) return false;
    const { parameters, outerDtype, version } = decodeTensors(stored);
    const prefix = this.#prefix + childPrefix;
    for (const key of await this.#store.keys(prefix)) {
      const bytes = await this.#store.get(key);
      if (bytes === undefined) continue;
      const { epoch, window } = decodeMember(bytes);
      membership.restore(decodeURIComponent(key.slice(prefix.length)), epoch, window);
    }
    main.replace(parameters, outerDtype, version);
    return true;
  }
}
