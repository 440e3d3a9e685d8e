/** Digests of a release for a lock, from whoever publishes it: to be run where the originals can be reached. */

import { checksumOf, readChecksum } from '../fetch/checksum.ts'
import { fileKey, type Lock } from '../fetch/digest-lock.ts'
import { FetchError, failureError } from '../fetch/fetch-failure.ts'
import { fetchText } from '../fetch/http-answer.ts'
import { readMirrors } from '../fetch/mirrors.ts'
import { openNetwork } from '../fetch/network.ts'
import { readReference } from '../fetch/reference.ts'
import { openRepository } from '../registry/registry-client.ts'
import { openRegistries } from '../registry/registry-facts.ts'
import { COMPONENTS, sources, type Wish } from './component-table.ts'
import { type Fetching, prepareComponents } from './fetch-components.ts'

export interface MadeLock {
  readonly lock: Lock
  /** Names whose signature was there and right. */
  readonly signed: readonly string[]
  /** Names that should have a signature and have none. */
  readonly unsigned: readonly string[]
}

/**
 * Fetches every file of a version once, checks it as always, and gives its digest, and those of `images`.
 * Throws a KubestepError when something cannot be had or is not what it should be.
 */
export async function makeLock(wish: Wish, images: readonly string[], fetching: Fetching): Promise<MadeLock> {
  const mirrors = readMirrors(fetching.mirror)
  const signed = new Set<string>()
  const prepared = await prepareComponents({
    ...wish,
    ...fetching,
    // What is written down has to be what is there, not what was written down before.
    lock: '/dev/null',
    onProgress: event => {
      if (event.kind === 'done' && event.proof?.includes('signature')) signed.add(event.name)
      fetching.onProgress?.(event)
    },
  })
  const registries = await openRegistries(images, mirrors, process.env)
  const network = openNetwork({ deadline: fetching.deadline, limits: fetching.limits ?? {}, tls: registries.tls })
  const rows: (readonly [name: string, digest: string])[] = []
  const shown = (name: string): string => `${name} ${COMPONENTS.find(row => row.name === name)?.version(wish)}`
  try {
    for (const component of COMPONENTS) {
      const { name } = component
      // An archive is gone once it is unpacked.
      const path = name === 'kubelet' ? prepared.kubelet : name === 'kubectl' ? prepared.kubectl : undefined
      const urls = sources(component, wish, mirrors).map(url => `${url}.sha256`)
      const published = fetchText({ subject: shown(name), urls }, network, { read: readChecksum, kind: 'checksum' })
      const digest = path === undefined ? await published : await checksumOf(path)
      rows.push([fileKey(name, component.version(wish), wish.arch), digest ?? ''])
    }
    for (const reference of images.map(readReference)) {
      const endpoints = registries.endpoints(reference)
      const options = { endpoints, findCredentials: registries.findCredentials, onRetry: () => {} }
      const { source } = await openRepository(reference, network, options).manifest(wish.arch)
      rows.push([reference.name, source.replace('sha256:', '')])
    }
  } catch (error) {
    throw error instanceof FetchError ? failureError([error.failure]) : error
  } finally {
    network.close()
  }
  const expected = COMPONENTS.filter(({ signer }) => signer?.(wish) !== undefined).map(({ name }) => shown(name))
  return {
    lock: new Map(rows),
    signed: expected.filter(name => signed.has(name)),
    unsigned: expected.filter(name => !signed.has(name)),
  }
}
