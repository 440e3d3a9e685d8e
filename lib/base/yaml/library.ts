/** The npm package `yaml`, loaded when something is read for the first time: it costs more to start than most scripts. */
import { createRequire } from 'node:module'

export type Library = typeof import('yaml')

/**
 * The package.
 * A bundler resolves the bare `require` and keeps it where it stands; sources run as ES modules, which have none, so they make one.
 */
export function library(): Library {
  try {
    return require('yaml') as Library
  } catch {
    return createRequire(import.meta.url)('yaml') as Library
  }
}
