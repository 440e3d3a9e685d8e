/**
 * A word of warning while a runtime pulls in silence: it waits for half a minute for a registry that nobody can
 * reach. It may know a way that this process does not (a proxy of its own), so it is not stopped.
 */

import type { Fetching } from '../components/fetch-components.ts'
import { FetchError, WAYS_OUT } from '../fetch/fetch-failure.ts'
import { openNetwork } from '../fetch/network.ts'
import { readReference } from '../fetch/reference.ts'
import { persist } from '../fetch/retry.ts'
import type { Registries } from '../registry/registry-facts.ts'

/** Asks the registries of images, and tells when none answers within seconds. Gives what ends the matter. */
export function warnWhenUnreachable(
  images: readonly string[],
  { endpoints, tls }: Registries,
  { deadline, limits, onProgress = () => {} }: Fetching,
): () => void {
  const bases = [...new Set(images.flatMap(image => endpoints(readReference(image)).map(({ base }) => base)))]
  const network = openNetwork({ deadline, tls, ...(limits !== undefined && { limits }) })
  let over = false
  const asked = bases.map(base =>
    persist({ subject: 'a registry', urls: [`${base}/`] }, network, async url => (await network.get(url)).discard()),
  )
  Promise.any(asked)
    .catch((error: AggregateError) => {
      const complaints = error.errors.flatMap((one: unknown) =>
        one instanceof FetchError ? one.failure.complaints : [],
      )
      // What answers, if only with a certificate that is not trusted, is the runtime's to tell of.
      if (over || complaints.some(({ reached }) => reached)) return
      const ways = WAYS_OUT.map(([way, about]) => `  ${way}: ${about}`)
      const tried = [...new Set(complaints.map(({ host, reason }) => `${host}: ${reason}`))].join('; ')
      const text = `no registry can be reached from here (${tried}), and the runtime has pulled nothing yet; ways out:`
      onProgress({ kind: 'notice', text: [text, ...ways].join('\n') })
    })
    .finally(() => network.close())
  return () => {
    over = true
    network.close()
  }
}
