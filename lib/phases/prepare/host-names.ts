/** Items `hosts` and `host-name`: what the machine is called, and where that name leads to. */
import { parseAddress } from '../../base/address.ts'
import { hostNameFault } from '../../machine/host/host-name.ts'
import { addressesOf, hostsLine } from '../../machine/host/hosts-file.ts'
import {
  type Finding,
  fileChange,
  linesChange,
  NO_ADDRESS,
  NOTHING,
  type PrepareContext,
  settingChange,
} from './prepare-item.ts'

const HOSTS = '/etc/hosts'
const HOST_NAME = '/etc/hostname'

/** Adds names that neither the file nor a name server knows: the node's, and that of the common endpoint. */
export async function findHosts({ host, live, config }: PrepareContext, asked: boolean): Promise<Finding> {
  const text = host.read(HOSTS)
  const endpoint = config.cluster.controlPlaneEndpoint?.replace(/:\d+$/, '')
  const names = [config.init.nodeRegistration.name, ...(endpoint === undefined ? [] : [endpoint])]
  const unknown: string[] = []
  for (const name of new Set(names)) {
    if (parseAddress(name.replace(/^\[|\]$/g, '')) !== undefined) continue
    if (addressesOf(text ?? '', name).length > 0) continue
    if (live && (await host.run(['getent', 'hosts', name]))?.exitCode === 0) continue
    unknown.push(name)
  }
  if (unknown.length === 0) return NOTHING
  const { advertiseAddress } = config.init.localAPIEndpoint
  if (Object.values<string>(NO_ADDRESS).includes(advertiseAddress)) {
    const reason = `nothing knows ${unknown.join(', ')}, and without a default route there is no address to give; add --apiserver-advertise-address`
    return asked ? { changes: [], faults: [`cannot add to "${HOSTS}": ${reason}`] } : { changes: [], notes: [reason] }
  }
  const line = hostsLine(advertiseAddress, unknown)
  if (text === undefined) return { changes: fileChange(host, HOSTS, `${line}\n`) }
  return { changes: linesChange(host, HOSTS, [{ before: null, after: line }]) }
}

export async function findHostName({ host, live, hostName }: PrepareContext, asked: boolean): Promise<Finding> {
  if (hostName === undefined) {
    if (asked) return { changes: [], faults: ['cannot set the host name: none is given; add --host-name NAME'] }
    const present = live ? (host.read('/proc/sys/kernel/hostname')?.trim() ?? '') : ''
    const fault = present === '' ? undefined : hostNameFault(present.toLowerCase())
    return fault === undefined
      ? NOTHING
      : {
          changes: [],
          notes: [`host name "${present}" cannot be a node's: ${fault}; set another one with --host-name`],
        }
  }
  const fault = hostNameFault(hostName)
  if (fault !== undefined) return { changes: [], faults: [`cannot set the host name to "${hostName}": ${fault}`] }
  const first = host
    .read(HOST_NAME)
    ?.split('\n')
    .find(line => line.trim() !== '' && !line.startsWith('#'))
  const file =
    first === undefined
      ? fileChange(host, HOST_NAME, `${hostName}\n`)
      : linesChange(host, HOST_NAME, first.trim() === hostName ? [] : [{ before: first, after: hostName }])
  return { changes: [...file, ...(live ? await settingChange(host, 'host-name', '', hostName) : [])] }
}
