/** The ranges of addresses that a cluster takes. */
import { parseSubnet, type Subnet } from '../../base/address.ts'
import { DEFAULT_POD_SUBNET } from '../../base/defaults.ts'
import type { Wanted } from './check.ts'

export interface Range {
  readonly what: 'Pods' | 'Services'
  readonly subnet: Subnet
}

/** A network that the user brings has the range that it says, or one that nobody here knows. */
export function rangesOf({ config, cni }: Wanted): Range[] {
  const { podSubnet = cni === 'none' ? '' : DEFAULT_POD_SUBNET, serviceSubnet } = config.cluster.networking
  const of = (what: Range['what'], text: string): Range[] =>
    text.split(',').flatMap(part => {
      const subnet = parseSubnet(part.trim())
      return subnet === undefined ? [] : [{ what, subnet }]
    })
  return [...of('Pods', podSubnet), ...of('Services', serviceSubnet)]
}
