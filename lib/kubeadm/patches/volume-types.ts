/** The Go structs of volumes as a table; the form is that of pod-types.ts. Source: k8s.io/api core/v1 (v1.36). */
export const VOLUME_TYPES = `
Volume
  name! hostPath:*HostPathVolumeSource emptyDir:*EmptyDirVolumeSource gcePersistentDisk:json
  awsElasticBlockStore:json gitRepo:json secret:*SecretVolumeSource nfs:*NFSVolumeSource iscsi:json glusterfs:json
  persistentVolumeClaim:*PersistentVolumeClaimVolumeSource rbd:json flexVolume:json cinder:json cephfs:json
  flocker:json downwardAPI:*DownwardAPIVolumeSource fc:json azureFile:json configMap:*ConfigMapVolumeSource
  vsphereVolume:json quobyte:json azureDisk:json photonPersistentDisk:json projected:*ProjectedVolumeSource
  portworxVolume:json scaleIO:json storageos:json csi:*CSIVolumeSource ephemeral:json image:*ImageVolumeSource
HostPathVolumeSource
  path! type:*string
EmptyDirVolumeSource
  medium sizeLimit:*quantity
SecretVolumeSource
  secretName items:[]KeyToPath defaultMode:*int32 optional:*bool
KeyToPath
  key! path! mode:*int32
NFSVolumeSource
  server! path! readOnly:bool
PersistentVolumeClaimVolumeSource
  claimName! readOnly:bool
DownwardAPIVolumeSource
  items:[]DownwardAPIVolumeFile defaultMode:*int32
DownwardAPIVolumeFile
  path! fieldRef:*ObjectFieldSelector resourceFieldRef:*ResourceFieldSelector mode:*int32
ConfigMapVolumeSource
  name items:[]KeyToPath defaultMode:*int32 optional:*bool
ProjectedVolumeSource
  sources:[]VolumeProjection! defaultMode:*int32
VolumeProjection
  secret:*SecretProjection downwardAPI:*DownwardAPIProjection configMap:*ConfigMapProjection
  serviceAccountToken:*ServiceAccountTokenProjection clusterTrustBundle:*ClusterTrustBundleProjection
  podCertificate:*PodCertificateProjection
SecretProjection
  name items:[]KeyToPath optional:*bool
DownwardAPIProjection
  items:[]DownwardAPIVolumeFile
ConfigMapProjection
  name items:[]KeyToPath optional:*bool
ServiceAccountTokenProjection
  audience expirationSeconds:*int64 path!
ClusterTrustBundleProjection
  name:*string signerName:*string labelSelector:*LabelSelector optional:*bool path!
PodCertificateProjection
  signerName keyType maxExpirationSeconds:*int32 credentialBundlePath keyPath certificateChainPath
  userAnnotations:{}string
CSIVolumeSource
  driver! readOnly:*bool fsType:*string volumeAttributes:{}string nodePublishSecretRef:*LocalObjectReference
ImageVolumeSource
  reference pullPolicy
`
