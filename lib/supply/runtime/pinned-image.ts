/**
 * The image of Pod sandboxes: no container that the kubelet knows of has it, so it would be the first to go when the disk
 * fills up, and no Pod would start where nobody can pull it again. From 1.29 on the kubelet leaves it to the runtime to
 * say which images have to stay. containerd says it of what it pulls itself; of what is put into it, by this label.
 * Source: kubernetes #118544 (1.29); containerd #7944 (1.7), #8720 (1.6.22); an older containerd does not know the label.
 */
import { withContainerd } from './containerd-api.ts'

const LABEL = 'io.cri-containerd.pinned'

/**
 * However it came. Nothing happens where there is no image of that name. Throws a CriError. Seen with containerd 1.7.24 and
 * 2.1.9: CRI says it of the image from then on.
 */
export async function pinImage(socket: string, name: string): Promise<void> {
  await withContainerd(socket, ({ tries }) =>
    tries('Images/Update', {
      // containerd 1.7 reads the target, which stays as it is, and dies without one.
      image: { name, labels: { [LABEL]: 'pinned' }, target: {} },
      updateMask: { paths: [`labels.${LABEL}`] },
    }),
  )
}
