/**
 * The API server's Service for Pods that come before kube-proxy has programmed it. CoreDNS is one of them: its
 * first connections would be refused, it would try again after a second or more, and where the readiness probe
 * comes every 10 s that costs another of those. Packets of this machine itself do not pass here, so whether
 * kube-proxy works can still be seen from it.
 */
import { joinHostPort, parseAddress } from '../../base/address.ts'
import { $ } from '../command.ts'
import { iptables } from './firewall-rules.ts'

const CHAIN = 'KUBESTEP-API'
const ENTRY = `PREROUTING -m comment --comment kubestep -j ${CHAIN}`

export interface ApiService {
  /** First address of the Service range. */
  readonly address: string
  /** Where the API server listens; of the same family. */
  readonly server: { readonly address: string; readonly port: number }
}

/** Input of `iptables-restore --noflush` that sends Pods who ask for the Service to the API server. */
export function openingText({ address, server }: ApiService): string {
  const rule = `-d ${address} -p tcp --dport 443 -m comment --comment kubestep -j DNAT`
  const target = joinHostPort(server.address, server.port)
  return `*nat\n:${CHAIN} - [0:0]\n-A ${CHAIN} ${rule} --to-destination ${target}\n-A ${ENTRY}\nCOMMIT\n`
}

/** Input that takes it away again; connections that were made stay. */
export const CLOSING_TEXT: string = `*nat\n:${CHAIN} - [0:0]\n-D ${ENTRY}\n-X ${CHAIN}\nCOMMIT\n`

/** Makes the Service work for Pods; gives what ends that. Where the rules are refused, kube-proxy is waited for. */
export async function openApiService(service: ApiService): Promise<() => Promise<void>> {
  const family = parseAddress(service.address)?.family
  if (family === undefined || family !== parseAddress(service.server.address)?.family) return async () => {}
  const restore = [iptables(family, '-restore'), '--noflush', '--wait']
  const { exitCode } = await $({ nothrow: true, input: openingText(service) })`${restore}`
  return async () => {
    if (exitCode === 0) await $({ nothrow: true, input: CLOSING_TEXT })`${restore}`
  }
}
