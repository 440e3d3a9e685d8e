/** How a machine joins without kubeadm: for whoever is shown kubeadm's command. */
import { commandOf } from '../../cli/invocation.ts'

export function joinAdvice(): string {
  return `Where kubeadm is not installed, "${commandOf('join', true)} HOST:PORT" takes the same options, and brings binaries and runtime along`
}
