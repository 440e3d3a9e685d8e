/** What runs a program of ours by itself: the Node, Deno or Bun that runs this. `nodeFlags` are for Node alone. */
export function runtimeCommand(program: string, nodeFlags: readonly string[] = []): string[] {
  if ('deno' in process.versions) return [process.execPath, 'run', '-A', '--no-config', '--no-lock', program]
  return [process.execPath, ...('bun' in process.versions ? [] : nodeFlags), program]
}
