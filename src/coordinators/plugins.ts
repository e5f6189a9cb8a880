import { InvalidOptionError, isMainstemError, PluginError, toError } from '../errors.ts';
import type { Gradients } from '../parameters/Gradients.ts';
import { ModelParameters } from '../parameters/ModelParameters.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import type { DataType } from '../parameters/values.ts';

/** An update on its way to main. */
export interface Update<T extends Gradients | ModelParameters = Gradients | ModelParameters> {
  readonly childId: string;
  readonly sequence: number | undefined;
  /** Gradients or parameters. A plugin that wants others returns a new update; it does not write into these. */
  readonly content: T;
}

/** What a merge is about to do. */
export interface MergeInfo {
  /** Version that main will have. */
  readonly version: number;
  /** Children whose updates go into it. */
  readonly children: number;
}

/** Main after a merge, before anybody sees it. */
export interface MergedInfo extends MergeInfo {
  readonly main: ModelParameters;
}

/** What a plugin sees of its coordinator. */
export interface PluginHost {
  readonly version: number;
  readonly children: readonly string[];
}

/**
 * The scripting surface of a coordinator. Hooks are synchronous and called in the order in which the plugins were
 * added. What a hook throws refuses the update or the merge at hand, and nothing else.
 */
export interface Plugin {
  readonly name: string;
  /** When the plugin is added. */
  setup?(host: PluginHost): void;
  /** May return another update to use instead, or throw (UpdateRefusedError, say) to refuse it. */
  onUpdate?(update: Update): Update | undefined | void;
  /** Before updates are combined into a new main. */
  beforeMerge?(info: MergeInfo): void;
  /** After that, before anybody sees it; may return other parameters to use instead. */
  afterMerge?(info: MergedInfo): ModelParameters | undefined | void;
  /** When the plugin is removed or the coordinator closed. */
  dispose?(): void;
}

const hooks = ['setup', 'onUpdate', 'beforeMerge', 'afterMerge', 'dispose'];

/** The plugins of one coordinator. */
export class PluginList {
  readonly #plugins: Plugin[] = [];

  add(plugin: Plugin, host: PluginHost): void {
    if (typeof plugin?.name !== 'string' || plugin.name === '')
      throw new InvalidOptionError('a plugin needs a name');
    if (this.#plugins.some(({ name }) => name === plugin.name)) {
      throw new InvalidOptionError(`there is a plugin named ${plugin.name} already`);
    }
    for (const hook of Object.keys(plugin)) {
      const meant = hooks.find((name) => name !== hook && name.toLowerCase() === hook.toLowerCase());
      if (meant !== undefined)
        throw new InvalidOptionError(`plugin ${plugin.name} has ${hook}; the hook is named ${meant}`);
    }
    blame(plugin, 'setup', () => plugin.setup?.(host));
    this.#plugins.push(plugin);
  }

  /** False where there is none of this name. */
  remove(name: string): boolean {
    const index = this.#plugins.findIndex((plugin) => plugin.name === name);
    if (index < 0) return false;
    const [plugin] = this.#plugins.splice(index, 1);
    if (plugin !== undefined) blame(plugin, 'dispose', () => plugin.dispose?.());
    return true;
  }

  onUpdate(update: Update): Update {
    let current = update;
    for (const plugin of this.#plugins)
      current = blame(plugin, 'onUpdate', () => plugin.onUpdate?.(current)) ?? current;
    return current;
  }

  beforeMerge(info: MergeInfo): void {
    for (const plugin of this.#plugins) blame(plugin, 'beforeMerge', () => plugin.beforeMerge?.(info));
  }

  /** Shows merged values to `afterMerge` and takes its changes over, checked like an update. */
  reviseMain(
    merged: Float64Array<ArrayBuffer>,
    layout: ParameterLayout,
    dtype: DataType,
    info: MergeInfo,
  ): void {
    // Making parameters of them costs a copy.
    if (!this.#plugins.some(({ afterMerge }) => afterMerge !== undefined)) return;
    let main = new ModelParameters(layout, merged.slice(), { baseVersion: info.version });
    for (const plugin of this.#plugins) {
      main = blame(plugin, 'afterMerge', () => plugin.afterMerge?.({ ...info, main })) ?? main;
    }
    layout.assertFits(main.layout, 'main of a plugin', 'main');
    main.toDataType(dtype).assertFinite('main of a plugin');
    merged.set(main.values);
  }

  dispose(): void {
    for (const { name } of [...this.#plugins]) this.remove(name);
  }
}

/** Names the plugin in whatever one of its hooks throws; errors of mainstem's own kinds pass as they are. */
function blame<T>(plugin: Plugin, hook: string, call: () => T): T {
  let result: T;
  try {
    result = call();
  } catch (thrown) {
    if (isMainstemError(thrown)) throw thrown;
    throw new PluginError(`${hook} of plugin ${plugin.name} failed: ${toError(thrown).message}`, thrown);
  }
  if (typeof (result as Partial<Promise<unknown>> | undefined)?.then !== 'function') return result;
  // Its failure would end the process, and nobody waits for it.
  Promise.resolve(result).catch(() => {});
  throw new PluginError(
    `${hook} of plugin ${plugin.name} returned a promise; hooks are synchronous`,
    undefined,
  );
}
