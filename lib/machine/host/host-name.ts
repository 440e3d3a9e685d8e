/** The host name. Pure checks. */
import { subdomainFault } from '../../base/dns-names.ts'

/** HOST_NAME_MAX of Linux. */
const LONGEST = 64

/** What keeps a text from being a host name that a node can have; undefined when it is one. Source: hostname(7), kubeadm NodeRegistration. */
export function hostNameFault(name: string): string | undefined {
  if (name.length > LONGEST) return `it is longer than ${LONGEST} characters; shorten it`
  return subdomainFault(name)
}
