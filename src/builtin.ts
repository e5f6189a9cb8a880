/** What of Node's process is looked at; browsers have none. */
interface NodeProcess {
  getBuiltinModule?(name: string): unknown;
}

/**
 * A module of Node, or undefined in a browser. Asked for by name at run time: an import, even a lazy one, would have
 * bundlers for browsers look for it. Deno and Bun have it too.
 */
export function builtinModule<Module>(name: string): Module | undefined {
  const { process } = globalThis as { process?: NodeProcess };
  return process?.getBuiltinModule?.(name) as Module | undefined;
}
