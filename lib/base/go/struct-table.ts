/**
 * Go structs as text: a type's name, then its fields, indented. `name` is a text, `name:type` something else; `*` is a
 * pointer (unset differs from zero), `[]` a list, `{}` a mapping. A `!` says that the field is written even when it is
 * empty. `@1.23` is the release that brought a field, where that is later than 1.18, `@1.23-1.28` also the first without it.
 */
import type { Field, Shape, Struct } from './struct.ts'

const TYPE = /^(\w+)\n((?: .*\n)+)/gm
const FIELD = /^(\w+)(?::([^!@]+))?(!?)(?:@([\d.]+)(?:-([\d.]+))?)?$/

/** The structs of a text, by name; of two with the same name the later one counts. Throws a RangeError for others. */
export function structTable(text: string): (name: string) => Struct {
  const bodies = new Map([...text.matchAll(TYPE)].map(([, name = '', body = '']) => [name, body]))
  const struct = (name: string): Struct => {
    const body = bodies.get(name)
    if (body === undefined) throw new RangeError(`there is no struct ${name}`)
    return body.trim().split(/\s+/).map(field)
  }
  const field = (word: string): Field => {
    const [, name = '', type = 'string', always = '', since, until] = FIELD.exec(word) ?? []
    const shape = shapeOf(type, always)
    return until !== undefined
      ? [name, shape, since, until]
      : since !== undefined
        ? [name, shape, since]
        : [name, shape]
  }
  const shapeOf = (type: string, always: string): Shape => {
    const [, kind, named] = /^(\*|\[\])?([A-Z]\w*)$/.exec(type) ?? []
    if (named === undefined) return `${type}${always}` as Shape
    if (kind === undefined) return struct(named)
    const written = always === '' ? {} : { always: true as const }
    return kind === '*' ? { pointer: struct(named), ...written } : { list: struct(named), ...written }
  }
  return struct
}
