#!/usr/bin/env -S npx zx
/** Upgrades a cluster to another version of Kubernetes, node by node. */
import { type Script, script } from '../lib/cli/script.ts'
import { runUpgrade, upgradeCommand } from '../lib/phases/upgrade.ts'

export const upgrade: Script = script(import.meta, upgradeCommand, runUpgrade)
