#!/usr/bin/env -S npx zx
/**
 * Binaries and images across runs, for the action: `restore KEY FOLDER` and `save KEY FOLDER` with the cache service of a
 * workflow. A bundle of its own, started only where there is such a service.
 * Exit status: 0 done, 1 not.
 */
import { restoreCache, saveCache } from '@actions/cache'

const [verb, key = '', folder = ''] = process.argv.slice(2)

try {
  if (verb === 'restore') process.exitCode = (await restoreCache([folder], key)) === key ? 0 : 1
  else process.exitCode = (await saveCache([folder], key)) === -1 ? 1 : 0
} catch (error) {
  process.stdout.write(`The cache: ${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 1
}
