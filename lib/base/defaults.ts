/** What holds when nobody says otherwise, for options, inputs of the action, configurations and help alike. */

/** The newest release known; what a configuration without a version gets. */
export const DEFAULT_VERSION = 'v1.36.2'

/** The whole budget of an init. */
export const DEFAULT_TIMEOUT = '4m0s'

/** How long certificates are valid, and CAs. Source: kubeadm constants.go CertificateValidityPeriod (v1.36). */
export const DEFAULT_VALIDITY = '8760h0m0s'
export const DEFAULT_CA_VALIDITY = '87600h0m0s'

/** Addresses of Pods; the range that most CNI add-ons take by default. */
export const DEFAULT_POD_SUBNET = '10.244.0.0/16'

/** Pod networks: ours, or none, for somebody else's. */
export const POD_NETWORKS = ['bridge', 'none'] as const
export type PodNetwork = (typeof POD_NETWORKS)[number]
export const DEFAULT_POD_NETWORK: PodNetwork = 'bridge'
