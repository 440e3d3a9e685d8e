#!/usr/bin/env -S npx zx
/** Points kubelet.conf to the certificate that the kubelet rotates. */
import { type Script, script } from '../lib/cli/script.ts'
import { kubeletFinalize as phase } from '../lib/phases/kubelet-finalize.ts'

export const kubeletFinalize: Script = script(import.meta, phase.command, phase.run)
