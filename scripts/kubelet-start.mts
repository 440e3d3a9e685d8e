#!/usr/bin/env -S npx zx
/** Writes the kubelet's settings and starts it. */
import { type Script, script } from '../lib/cli/script.ts'
import { kubeletStart as phase } from '../lib/phases/kubelet-start.ts'

export const kubeletStart: Script = script(import.meta, phase.command, phase.run)
