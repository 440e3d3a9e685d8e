/** What is known of the registries of some images before any of them is asked. */

import type { Mirrors } from '../fetch/mirrors.ts'
import type { TlsByOrigin } from '../fetch/proxy.ts'
import { type Reference, readReference } from '../fetch/reference.ts'
import { type Endpoint, endpointsOf, HOSTS_FOLDER } from './registry-endpoints.ts'
import { type Credentials, openCredentials } from './registry-logins.ts'

export interface Registries {
  /** Where an image is asked for, first choice first. */
  readonly endpoints: (reference: Reference) => readonly Endpoint[]
  readonly tls: TlsByOrigin
  readonly findCredentials: (host: string, repository: string) => Promise<Credentials | undefined>
}

/** Reads what the machine says about the registries of `images`. Throws a KubestepError. */
export async function openRegistries(
  images: readonly string[],
  mirrors: Mirrors,
  environment: Readonly<Record<string, string | undefined>>,
  folder: string = HOSTS_FOLDER,
): Promise<Registries> {
  const byHost = new Map<string, readonly Endpoint[]>()
  for (const reference of images.map(readReference)) {
    if (!byHost.has(reference.host)) byHost.set(reference.host, await endpointsOf(reference, mirrors, folder))
  }
  const rows = [...byHost.values()]
    .flat()
    .flatMap(({ base, tls }) => (tls === undefined ? [] : [[new URL(base).origin, tls] as const]))
  return {
    endpoints: ({ host }) => byHost.get(host) ?? [],
    tls: new Map(rows),
    findCredentials: openCredentials(environment),
  }
}
