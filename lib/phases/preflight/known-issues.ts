/** Kernels and images of hosted runners that are known to break clusters. */

export interface KnownIssue {
  /** Start of the kernel's release. */
  readonly kernel: string
  readonly what: string
  readonly fix: string
  /** Only where Pods or Services have IPv6 addresses. */
  readonly ipv6?: true
  /** Repository and thread. */
  readonly source: string
}

export const KNOWN_ISSUES: readonly KnownIssue[] = [
  {
    kernel: '6.8.0-1025-azure',
    what: 'ip6tables does not know --set-xmark, so kube-proxy writes no IPv6 rules',
    fix: 'use another image version or ubuntu-24.04, or IPv4 alone',
    ipv6: true,
    source: 'actions/runner-images#11985',
  },
  {
    kernel: '6.14.0-1012-azure',
    what: 'IPv6 sockets send no packet larger than the MTU',
    fix: 'use an image with 6.14.0-1014-azure or later, or IPv4 alone',
    ipv6: true,
    source: 'actions/runner-images#13190',
  },
  {
    kernel: '6.8.0-1063-azure',
    what: 'rules that nf_tables reports as set may be missing, and bridged packets are slow',
    fix: 'use an image with another kernel',
    source: 'Azure/AgentBaker#9186',
  },
]
