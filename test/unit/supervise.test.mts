// biome-ignore-all lint/suspicious/noTemplateCurlyInString: texts of files
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseVariables, splitWords } from '../../lib/machine/service/supervise.mjs'

/** Text of a file, and the words of `$V` in it; each was seen at systemd 252 with EnvironmentFile= and ExecStart=... $V. */
const ROWS: readonly (readonly [text: string, words: readonly string[]])[] = [
  ['', []],
  ['V=', []],
  ['V=a b', ['a', 'b']],
  ['V="--a=1 --b=2"\n', ['--a=1', '--b=2']],
  ['V="--node-labels=branch=$(touch${IFS}/tmp/x)"\n', ['--node-labels=branch=$(touch${IFS}/tmp/x)']],
  ['V="`id` $HOME ${HOME} %n $$"\n', ['`id`', '$HOME', '${HOME}', '%n', '$$']],
  ['V="a;b && c|d >e"\n', ['a;b', '&&', 'c|d', '>e']],
  ['V="--x=\\"two words\\" --y=\'it\'\'s\'"\n', ['--x=two words', '--y=its']],
  ['V="back\\\\\\\\slash \\\\n"\n', ['back\\slash', 'n']],
  ['V=\'single \\ "q"\'\n', ['single', ' q']],
  ['V=plain "kept quotes"\n', ['plain', 'kept quotes']],
  ['V="a"\'b\' c\n', ['abc']],
  ['V=a \\\n  b\n', ['a', 'b']],
  ['V="a\\\nb"\n', ['ab']],
  ['V="line\nbreak"\n', ['line', 'break']],
  ['# V=no\n; V=no\nV=yes\n', ['yes']],
  ['V=a # not a comment\n', ['a', '#', 'not', 'a', 'comment']],
  [' V = a  \n', ['a']],
  ['V=1\nV=2', ['2']],
  ['V="unended --a=1\nW=2\n', ['unended', '--a=1', 'W=2']],
  ['V=a\\ b\n', ['a', 'b']],
  ['V=end\\', ['end']],
  ['V="x \\"unbalanced"\n', ['x', 'unbalanced']],
  ['V="\\"\\" \'\'"\n', ['', '']],
  ['V=é "ü"\r\nW=1\r\n', ['é', 'ü']],
  ['\ufeffV=1\n', []],
  ['\n\n\tV=tab\ttab\n', ['tab', 'tab']],
]

for (const [text, words] of ROWS) {
  test(`${JSON.stringify(text)} holds ${words.length} words`, () => {
    assert.deepEqual(splitWords(parseVariables(text).get('V') ?? ''), words)
  })
}

test('names that are none are left out, and the last value of a name counts', () => {
  assert.deepEqual(
    [...parseVariables('export A=1\n2B=2\nC =3\n D=4\nE\nC=5\n=6\n')],
    [
      ['C', '5'],
      ['D', '4'],
    ],
  )
})
