/** Protobuf messages from and to plain objects, by the tables of messages.ts; the wire format is the package `pbf`. */
import { PbfReader, PbfWriter } from 'pbf'
import { isObject, type Json, type JsonObject } from '../../base/json.ts'
import type { Field, Message } from './messages.ts'

/** The bytes of a message. Absent fields are left out. */
export function encode(message: Message, value: JsonObject): Uint8Array {
  const writer = new PbfWriter()
  writeMessage(message, value, writer)
  return writer.finish()
}

/** The object of a message; scalars that are not there have proto3's zero values, lists and maps are empty. */
export function decode(message: Message, bytes: Uint8Array): JsonObject {
  return readMessage(message, new PbfReader(bytes))
}

function writeMessage(message: Message, value: JsonObject, writer: PbfWriter): void {
  for (const field of message) {
    const given = value[field.name]
    if (given === undefined || given === null) continue
    for (const item of field.repeated ? (given as readonly Json[]) : [given]) writeField(field, item, writer)
  }
}

function writeField({ number, type }: Field, value: Json, writer: PbfWriter): void {
  if (type === 'string') writer.writeStringField(number, String(value))
  else if (type === 'bool') writer.writeBooleanField(number, value === true)
  else if (type === 'int') writer.writeVarintField(number, Number(value))
  else if (type === 'map') {
    for (const [key, item] of Object.entries(isObject(value) ? value : {})) {
      writer.writeMessage(number, (pair: readonly string[], inner: PbfWriter) => writePair(pair, inner), [
        key,
        String(item),
      ])
    }
  } else
    writer.writeMessage(
      number,
      (object: JsonObject, inner: PbfWriter) => writeMessage(type, object, inner),
      value as JsonObject,
    )
}

function writePair(pair: readonly string[], writer: PbfWriter): void {
  writer.writeStringField(1, pair[0] ?? '')
  writer.writeStringField(2, pair[1] ?? '')
}

type Mutable = Record<string, Json | undefined>

function readMessage(message: Message, reader: PbfReader, end?: number): JsonObject {
  const result: Mutable = {}
  for (const field of message) result[field.name] = zero(field)
  return reader.readFields(
    (tag: number, into: Mutable, inner: PbfReader) => readField(message, tag, into, inner),
    result,
    end,
  )
}

function zero({ type, repeated }: Field): Json | undefined {
  if (repeated) return []
  if (type === 'string') return ''
  if (type === 'bool') return false
  if (type === 'int') return 0
  return type === 'map' ? {} : undefined
}

function readField(message: Message, tag: number, into: Mutable, reader: PbfReader): void {
  const field = message.find(({ number }) => number === tag)
  if (field === undefined) return
  if (field.type === 'map') {
    const pair = readPair(reader)
    into[field.name] = { ...(into[field.name] as JsonObject), [pair[0]]: pair[1] }
    return
  }
  const value = readValue(field, reader)
  into[field.name] = field.repeated ? [...(into[field.name] as readonly Json[]), value] : value
}

function readValue({ type }: Field, reader: PbfReader): Json {
  if (type === 'string') return reader.readString()
  if (type === 'bool') return reader.readBoolean()
  if (type === 'int') return reader.readVarint(true)
  return readMessage(type as Message, reader, reader.readVarint() + reader.pos)
}

function readPair(reader: PbfReader): [key: string, value: string] {
  const pair: [string, string] = ['', '']
  reader.readFields(
    (tag: number, into: [string, string], inner: PbfReader) => {
      if (tag === 1) into[0] = inner.readString()
      if (tag === 2) into[1] = inner.readString()
    },
    pair,
    reader.readVarint() + reader.pos,
  )
  return pair
}
