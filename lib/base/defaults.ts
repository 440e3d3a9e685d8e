/** What holds when nobody says otherwise, for options, inputs of the action, configurations and help alike. */

/** The newest release known; what a configuration without a version gets. */
export const DEFAULT_VERSION = 'v1.36.2'

/** The whole budget of an init. */
export const DEFAULT_TIMEOUT = '4m0s'

/** Pod networks: ours, or none, for somebody else's. */
export const POD_NETWORKS = ['bridge', 'none'] as const
export type PodNetwork = (typeof POD_NETWORKS)[number]
export const DEFAULT_POD_NETWORK: PodNetwork = 'bridge'
