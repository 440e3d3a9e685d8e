/** A static Pod as its manifest on a node has it, whoever wrote that. */
import { isObject, type Json } from '../../base/json.ts'

/** The value of a flag (`name` without dashes) that its first container is started with; undefined without one. */
export function podArgument(pod: Json | undefined, name: string): string | undefined {
  const spec = isObject(pod) && isObject(pod.spec) ? pod.spec : {}
  const [container] = Array.isArray(spec.containers) ? spec.containers : []
  const command = isObject(container) && Array.isArray(container.command) ? container.command.map(String) : []
  return command.find(word => word.startsWith(`--${name}=`))?.slice(name.length + 3)
}
