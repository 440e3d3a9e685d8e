#!/usr/bin/env -S npx zx
/** Puts the configurations of kubeadm and of the kubelets into the cluster. */
import { type Script, script } from '../lib/cli/script.ts'
import { uploadConfig as phase } from '../lib/phases/upload-config.ts'

export const uploadConfig: Script = script(import.meta, phase.command, phase.run)
