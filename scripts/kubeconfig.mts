#!/usr/bin/env -S npx zx
/** Makes the kubeconfig files of a control plane. */
import { type Script, script } from '../lib/cli/script.ts'
import { kubeconfig as phase } from '../lib/phases/kubeconfig.ts'

export const kubeconfig: Script = script(import.meta, phase.command, phase.run)
