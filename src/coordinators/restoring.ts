import type { Ledger, ReadRecord } from './Ledger.ts';
import type { MainState } from './MainState.ts';
import type { Membership } from './Membership.ts';
import type { PluginList } from './plugins/PluginList.ts';

/** What is put back from a store. */
export interface RestoringParts {
  readonly ledger: Ledger;
  readonly main: MainState;
  readonly membership: Membership;
  readonly plugins: PluginList;
  loadState(read: ReadRecord, length: number): Promise<() => void>;
  /** All is in its place. */
  opened(): void;
}

/** Reads all, and changes what is here only when nothing can refuse any more; false where the store has no main. */
export async function restoreAll(parts: RestoringParts): Promise<boolean> {
  const { ledger, main, membership, plugins, loadState, opened } = parts;
  const loaded = await ledger.load(main, membership);
  if (loaded === undefined) return false;
  const applyState = await loadState(ledger.read, loaded.length);
  const applyPlugins = await plugins.load(ledger.read);
  // First, since it is the only one that may still refuse.
  applyPlugins();
  loaded.apply();
  applyState();
  opened();
  // Last: whoever hears of it finds everything in its place.
  loaded.publish();
  return true;
}
