#!/usr/bin/env -S npx zx
/**
 * Speaks with the cache service of a workflow for the action: `restore KEY FOLDER` and `save KEY FOLDER`.
 * A bundle of its own, since the service's client is bigger than all the rest of the action.
 * Exit status: 0 restored or saved, 1 not.
 */
import { restoreCache, saveCache } from '@actions/cache'

const [, , verb, key = '', folder = ''] = process.argv

try {
  if (verb === 'restore') process.exitCode = (await restoreCache([folder], key)) === key ? 0 : 1
  else process.exitCode = (await saveCache([folder], key)) === -1 ? 1 : 0
} catch (error) {
  process.stdout.write(`The cache: ${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 1
}
