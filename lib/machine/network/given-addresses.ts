/**
 * Addresses that Pods of this node have been given, from the moment on: the API hears of them a second later.
 * Source: CNI plugins host-local backend/disk (0.9 to 1.7): a file per address, with the sandbox's id in its first line.
 */
import { join } from 'node:path'
import { parseAddress } from '../../base/address.ts'
import { LAYOUT } from '../../base/paths.ts'
import { listFolder, readTextOrEmpty } from '../files.ts'
import { NETWORK } from './cni.ts'

export const GIVEN_ADDRESSES: string = join(LAYOUT.cni.data, NETWORK)

/** Sandboxes by their addresses. */
export function givenAddresses(folder: string = GIVEN_ADDRESSES): ReadonlyMap<string, string> {
  const names = (listFolder('/', folder) ?? []).filter(name => parseAddress(name) !== undefined)
  const rows = names.map(name => [name, readTextOrEmpty(join(folder, name)).split(/\r?\n/)[0]?.trim() ?? ''] as const)
  return new Map(rows.filter(([, id]) => id !== ''))
}
