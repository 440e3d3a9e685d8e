/**
 * Keeps one service running where no init system does: starts it again when it ends, and ends it when told to. It is
 * called as `supervise.mjs SETTINGS [when-told]`, a JSON file of what `supervisor.ts` writes; the second word makes it wait
 * for one on standard input. JavaScript in one file, because it is copied beside those settings and lives as long as the
 * cluster: whoever has Node, Deno or Bun runs it as it is. No value is read by a shell: a program gets its arguments as
 * they are.
 */
import { spawn } from 'node:child_process'
import { appendFileSync, closeSync, openSync, readFileSync, readSync, realpathSync, writeSync } from 'node:fs'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'

const WHITESPACE = ' \t\n\r'
const NEWLINE = '\n\r'

/**
 * The variables in a file that systemd would read by EnvironmentFile=.
 * Source: systemd.exec(5); systemd src/basic/env-file.c, parse_env_file_internal() (v254).
 */
export function parseVariables(text) {
  const variables = new Map()
  let [state, key, value, kept] = ['before key', '', '', 0]
  const push = () => {
    const name = key.replace(/[ \t\n\r]+$/, '')
    if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) variables.set(name, state === 'value' ? value.slice(0, kept) : value)
    ;[state, key, value, kept] = ['before key', '', '', 0]
  }
  const add = c => {
    value += c
    // Blanks at the end of a plain value do not count; quoted and escaped ones do.
    if (state !== 'value' || !WHITESPACE.includes(c)) kept = value.length
  }
  const STEPS = {
    'before key': c => {
      if ('#;'.includes(c)) state = 'comment'
      else if (!WHITESPACE.includes(c)) [state, key] = ['key', c]
    },
    key: c => {
      if (NEWLINE.includes(c)) [state, key] = ['before key', '']
      else if (c === '=') state = 'before value'
      else key += c
    },
    'before value': c => {
      if (NEWLINE.includes(c)) push()
      else if (c === "'") state = 'single'
      else if (c === '"') state = 'double'
      else if (c === '\\') state = 'escaped'
      else if (!WHITESPACE.includes(c)) {
        state = 'value'
        add(c)
      }
    },
    value: c => {
      if (NEWLINE.includes(c)) push()
      else if (c === '\\') [state, kept] = ['escaped', value.length]
      else add(c)
    },
    escaped: c => {
      if (!NEWLINE.includes(c)) add(c)
      state = 'value'
    },
    single: c => {
      if (c === "'") state = 'before value'
      else add(c)
    },
    double: c => {
      if (c === '"') state = 'before value'
      else if (c === '\\') state = 'double escaped'
      else add(c)
    },
    'double escaped': c => {
      if ('"\\`$'.includes(c)) add(c)
      else if (c !== '\n') add(`\\${c}`)
      state = 'double'
    },
    comment: c => {
      if (c === '\\') state = 'comment escaped'
      else if (NEWLINE.includes(c)) state = 'before key'
    },
    'comment escaped': c => {
      state = NEWLINE.includes(c) ? 'before key' : 'comment'
    },
  }
  for (const c of text) STEPS[state](c)
  if (!['before key', 'key', 'comment', 'comment escaped'].includes(state)) push()
  return variables
}

/**
 * The words of a variable that stands alone on a command line, as in `ExecStart=... $NAME`. Nothing is expanded.
 * Source: systemd.service(5); systemd src/basic/extract-word.c with EXTRACT_UNQUOTE and EXTRACT_RELAX (v254).
 */
export function splitWords(text) {
  const words = []
  let [word, quote, isEscaped] = [undefined, '', false]
  for (const c of text) {
    if (isEscaped) [word, isEscaped] = [word + c, false]
    else if (c === '\\') [word, isEscaped] = [word ?? '', true]
    else if (quote !== '') {
      if (c === quote) quote = ''
      else word += c
    } else if (WHITESPACE.includes(c)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else if (c === '"' || c === "'") [word, quote] = [word ?? '', c]
    else word = (word ?? '') + c
  }
  return word === undefined ? words : [...words, word]
}

function readVariables(file) {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(file))
    // systemd takes nothing of such a file.
    return text.includes('\0') ? new Map() : parseVariables(text)
  } catch {
    return new Map()
  }
}

/** The kernel refuses what is neither; the C library would give it to a shell instead. */
function isProgram(path) {
  try {
    const file = openSync(path, 'r')
    const start = Buffer.alloc(4)
    const length = readSync(file, start, 0, 4, 0)
    closeSync(file)
    const magic = start.subarray(0, length).toString('latin1')
    return magic === '\x7fELF' || magic.startsWith('#!')
  } catch {
    return false
  }
}

function say(line) {
  try {
    writeSync(1, `kubestep: ${line}\n`)
  } catch {
    // A full disk is no reason to end.
  }
}

/** Runs until it is told to end. */
export async function supervise({ name, command, moreArguments, environmentFile, restartDelayMs, endsFile }) {
  let [child, isEnded, wake] = [undefined, false, () => {}]
  const end = () => {
    isEnded = true
    child?.kill('SIGTERM')
    wake()
  }
  process.on('SIGTERM', end)
  process.on('SIGINT', end)
  const start = () => {
    const given = environmentFile === undefined ? [] : readVariables(environmentFile)
    const variables = moreArguments === undefined ? new Map() : readVariables(moreArguments.file)
    const [program, ...args] = [...command, ...splitWords(variables.get(moreArguments?.variable) ?? '')]
    return new Promise(resolve => {
      const refused = reason => {
        say(`${program}: ${reason}`)
        resolve(126)
      }
      if (!isProgram(program)) return refused('it is not there, or no program')
      try {
        child = spawn(program, args, {
          stdio: ['ignore', 'inherit', 'inherit'],
          env: { ...process.env, ...Object.fromEntries([...given, ...variables]) },
        })
      } catch (error) {
        return refused(error.message)
      }
      child.once('error', error => refused(error.message))
      child.once('exit', (status, signal) => resolve(status ?? 128 + (constants.signals[signal] ?? 0)))
    })
  }
  while (!isEnded) {
    const status = await start()
    child = undefined
    if (isEnded) break
    say(`${name} ended with status ${status}; starting it again`)
    try {
      appendFileSync(endsFile, `${status}\n`)
    } catch {
      // Nobody counts, then.
    }
    await new Promise(resolve => {
      const timer = setTimeout(resolve, restartDelayMs)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
  process.exit(0)
}

/** Whether a word came on standard input: when whoever would say it ends, so does the input. */
function isTold() {
  return readSync(0, Buffer.alloc(1), 0, 1, null) === 1
}

const [, self, settings, when] = process.argv
if (settings?.endsWith('.json') && realpathSync(self) === realpathSync(fileURLToPath(import.meta.url))) {
  if (when === 'when-told' && !isTold()) process.exit(0)
  await supervise(JSON.parse(readFileSync(settings, 'utf8')))
}
