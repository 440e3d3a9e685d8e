#!/usr/bin/env -S npx zx
import { resolve } from 'node:path'
import { KubestepError, UsageError } from '../lib/base/errors.ts'
/** Bootstrap tokens: what nodes join with. */
import { KUBERNETES } from '../lib/base/paths.ts'
import { randomToken } from '../lib/base/token.ts'
import { stringify } from '../lib/base/yaml.ts'
import type { OptionName } from '../lib/cli/options.ts'
import { openOutput } from '../lib/cli/output.ts'
import { type Call, type Script, script } from '../lib/cli/script.ts'
import { type Api, openApi } from '../lib/cluster/api/api-client.ts'
import { readCredentials } from '../lib/cluster/api/kubeconfig-credentials.ts'
import { tokenSecret } from '../lib/kubeadm/objects/bootstrap-token-objects.ts'
import { controlPlaneJoinCommand, workerJoinCommand } from '../lib/kubeadm/objects/join-command.ts'
import { readFile } from '../lib/machine/files.ts'
import { joinAdvice } from '../lib/phases/run/join-advice.ts'
import { openPhase } from '../lib/phases/run/open-phase.ts'
import { createTokens, deleteTokens, tokenId, wantedToken } from '../lib/phases/token/token-create.ts'
import { storedTokens, tokenObject, tokenTable } from '../lib/phases/token/token-list.ts'

const CLUSTER: readonly OptionName[] = ['kubeconfig', 'dry-run']
const CREATE: readonly OptionName[] = [
  ...CLUSTER,
  'config',
  'ttl',
  'usages',
  'groups',
  'description',
  'print-join-command',
  'certificate-key',
]

const LIST: readonly OptionName[] = [...CLUSTER, 'allow-missing-template-keys', 'show-managed-fields']

export const token: Script = script(
  import.meta,
  {
    name: 'token',
    about: 'Manage bootstrap tokens.',
    options: [],
    subcommands: [
      {
        name: 'create',
        about: 'Create a token in the cluster, a random one unless it is given',
        options: CREATE,
        positionals: '[TOKEN]',
      },
      { name: 'list', about: 'List the tokens of the cluster', options: LIST },
      {
        name: 'delete',
        about: 'Delete tokens from the cluster, by id or by the whole token',
        options: CLUSTER,
        positionals: 'TOKEN...',
      },
      { name: 'generate', about: 'Print a random bootstrap token; the cluster does not learn of it', options: CLUSTER },
    ],
    needsSubcommand: true,
    outputs: ['yaml'],
    examples: [
      'token.mts create --print-join-command',
      'token.mts list',
      'token.mts delete abcdef',
      'token.mts generate',
    ],
  },
  async call => {
    const work = { create, list, delete: remove, generate }[call.subcommand]
    await work?.(call)
  },
)

async function generate({ output }: Call): Promise<void> {
  output.result(`${randomToken()}\n`)
}

async function create(call: Call): Promise<void> {
  const { flags, positionals, output } = call
  const [given, ...more] = positionals
  // It may be a token, so it is not shown.
  if (more.length > 0) throw new UsageError('token: cannot take a further argument: there is one too many; see --help')
  if (flags['certificate-key'] !== undefined && !flags['print-join-command'])
    throw new UsageError('token: cannot use --certificate-key: it belongs in a join command; add --print-join-command')
  const described = ['ttl', 'usages', 'groups', 'description'] as const
  const fromConfig =
    flags.config !== undefined && given === undefined && described.every(name => flags[name] === undefined)
  const tokens = fromConfig
    ? openPhase({ ...call, flags: { config: flags.config } }).config.init.bootstrapTokens
    : [wantedToken(flags, given)]
  const now = new Date()
  if (flags['dry-run']) {
    output.result(tokens.map(one => `---\n${stringify(tokenSecret(one, now))}`).join(''))
    return
  }
  const credentials = clusterCredentials(call)
  await withCluster(call, api => createTokens(api, tokens, now))
  const access = { server: credentials.server, caCertificate: credentials.ca }
  // kubeadm's command stays alone in the output, for scripts.
  if (flags['print-join-command']) output.warn(`[token] ${joinAdvice()}`)
  for (const { token: text } of tokens) {
    const command = flags['certificate-key']
      ? controlPlaneJoinCommand(access, text, flags['certificate-key'])
      : workerJoinCommand(access, text)
    output.result(
      flags['print-join-command'] ? `${command.replaceAll('\\\n', '').replaceAll('\t', '')}\n` : `${text}\n`,
    )
  }
}

async function list(call: Call): Promise<void> {
  const tokens = await withCluster(call, storedTokens)
  const format = call.flags.output
  // Objects in themselves, not events.
  const { result } = openOutput({})
  if (format === 'json') for (const one of tokens) result(`${JSON.stringify(tokenObject(one), null, 4)}\n`)
  else if (format === 'yaml') for (const one of tokens) result(`${stringify(tokenObject(one))}---\n`)
  else result(tokenTable(tokens, new Date()))
}

async function remove(call: Call): Promise<void> {
  const { flags, positionals, output } = call
  if (positionals.length === 0) throw new UsageError('token: cannot delete: no token is named; see "token list"')
  // All of them have to make sense before any goes.
  const ids = positionals.map(tokenId)
  if (flags['dry-run']) {
    for (const id of ids) output.result(`[dryrun] Would delete the bootstrap token "${id}"\n`)
    return
  }
  await withCluster(call, api =>
    deleteTokens(api, positionals, id => output.result(`bootstrap token "${id}" deleted\n`)),
  )
}

function clusterCredentials({ flags }: Call): ReturnType<typeof readCredentials> {
  const file = flags.kubeconfig ?? (process.env.KUBECONFIG || KUBERNETES.adminConf)
  const text = readFile('/', resolve(file))
  if (text === undefined) {
    throw new KubestepError(`token: cannot read "${file}": it does not exist; name a kubeconfig with --kubeconfig`)
  }
  return readCredentials(text, file, path => readFile('/', path))
}

async function withCluster<Result>(call: Call, work: (api: Api) => Promise<Result>): Promise<Result> {
  const api = openApi(clusterCredentials(call))
  try {
    return await work(api)
  } finally {
    api.close()
  }
}
