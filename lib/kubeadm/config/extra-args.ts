/** Extra arguments of components, and their environment. */
import { isObject } from '../../base/json.ts'
import type { Arg, ControlPlaneComponent, EnvVar } from '../../base/kubeadm.ts'
import type { Draft } from './draft-config.ts'
import type { Finding } from './findings.ts'

/** The value of an argument, the last one if it is repeated; undefined when it is not given. */
export function extraArgument(args: readonly Arg[] | null | undefined, name: string): string | undefined {
  return args?.findLast(arg => arg.name === name)?.value
}

/** Arguments without a name. Source: kubeadm ValidateExtraArgs (v1.36). */
export function checkArguments(kind: string, field: string, args: readonly Arg[] | null | undefined): Finding[] {
  return (args ?? []).flatMap((arg, index) =>
    arg.name === '' ? [{ kind, field, value: `index ${index}`, reason: 'the argument has no name; give it one' }] : [],
  )
}

/** Environment variables with core/v1's defaults. Source: kubeadm v1beta4 SetDefaults_EnvVar (v1.36). */
export function completeEnvironment(variables: readonly EnvVar[]): EnvVar[] {
  return variables.map(variable => {
    const { valueFrom } = variable
    const fieldRef = valueFrom?.fieldRef
    if (!isObject(fieldRef) || fieldRef.apiVersion) return variable
    return { ...variable, valueFrom: { ...valueFrom, fieldRef: { ...fieldRef, apiVersion: 'v1' } } }
  })
}

/** A component with its environment completed; empty lists are left out. */
export function completeComponent<T extends ControlPlaneComponent>(draft: Draft<T> | null | undefined): T {
  const { extraEnvs, ...rest } = (draft ?? {}) as T
  return { ...rest, ...(extraEnvs?.length && { extraEnvs: completeEnvironment(extraEnvs) }) } as T
}
