/**
 * The parts of @actions/glob and semver that @actions/cache calls, in their place in the bundle: the one finds the folder
 * that was named, as there are no patterns here, the other reads what zstd says of its version, which then counts for
 * nothing but being there.
 */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

interface Globber {
  readonly globGenerator: () => AsyncGenerator<string>
}

/** The paths of a text, one a line, that are there. */
export async function create(patterns: string): Promise<Globber> {
  const parent = process.env.GITHUB_WORKSPACE ?? process.cwd()
  return {
    globGenerator: async function* () {
      yield* patterns
        .split('\n')
        .map(path => resolve(parent, path))
        .filter(path => existsSync(path))
    },
  }
}

/** The version in a text. */
export function clean(text: string): string | null {
  return /\d+\.\d+\.\d+/.exec(text)?.[0] ?? null
}
