import { formsOf } from './secret-forms.ts'

/** A value that must not be shown, and the name that stands for it. */
export interface KnownSecret {
  readonly name: string
  readonly value: string
}

/** Hides known values in whatever is stored or shown (B3). Everything else passes as it is, in order. */
export interface Mask {
  /** Nothing is known: nothing can be hidden. */
  readonly empty: boolean
  /** A text that is whole. */
  text(text: string): string
  /** A text that is whole, with as many lines as it had: a value with several is hidden line by line. */
  lines(text: string): string
  /** The same for bytes, each one a character (latin1): a value is found as UTF-8 and as latin1. */
  binary(bytes: string): string
  /** A text that grows and is said again later: also the beginning of a value at its end is hidden. */
  growing(text: string): string
  /** All texts inside of a JSON value; the value itself where there is nothing to hide. */
  value<T>(value: T, growing?: boolean): T
  /** What can be said of a text that goes on, and the rest, which may be the beginning of a value. */
  begin(text: string): { readonly said: string; readonly rest: string }
}

export const NO_MASK: Mask = {
  empty: true,
  text: (text) => text,
  lines: (text) => text,
  binary: (bytes) => bytes,
  growing: (text) => text,
  value: (value) => value,
  begin: (text) => ({ said: text, rest: '' }),
}

/** What stands in the place of a value. */
export const markOf = (name: string): string => `[secret ${name}]`

/** Shorter texts are words that everybody uses: hiding them would hide everything. */
export const SHORTEST_SECRET = 6
const CUT = '…'

export function createMask(secrets: Iterable<KnownSecret>): Mask {
  const known = [...secrets]
  const forms = createForms(known, (form) => [form])
  if (forms.longest === 0) return NO_MASK
  // Few look at bytes.
  let inBytes: Forms | null = null
  const text = (whole: string) => scan(forms, whole, true).said
  const growing = (part: string) => {
    const { said, rest } = scan(forms, part, false)
    return rest.length < SHORTEST_SECRET ? said + text(rest) : said + CUT
  }
  return {
    empty: false,
    text,
    lines: (whole) => scan(forms, whole, true, byLine).said,
    binary(bytes) {
      inBytes ??= createForms(known, bytesOf)
      return scan(inBytes, bytes, true, byLine).said
    },
    growing,
    value: (value, grows = false) => mapTexts(value, grows ? growing : text) as typeof value,
    begin: (part) => scan(forms, part, false),
  }
}

const byLine = (hidden: string, mark: string): string => hidden.replace(/[^\r\n]+/g, () => mark)

/** How a form stands among bytes; what is beyond latin1 is no byte and is never found as it is. */
function bytesOf(form: string): string[] {
  const utf8 = Array.from(new TextEncoder().encode(form), (byte) => String.fromCharCode(byte)).join('')
  return [form, utf8]
}

/** All forms of all values, found by the two characters they begin with. */
interface Forms {
  readonly starts: Uint8Array
  readonly byStart: ReadonlyMap<number, readonly Form[]>
  readonly longest: number
}

interface Form {
  readonly text: string
  readonly name: string
}

function createForms(secrets: Iterable<KnownSecret>, written: (form: string) => readonly string[]): Forms {
  const starts = new Uint8Array(65_536)
  const byStart = new Map<number, Form[]>()
  let longest = 0
  for (const { name, value } of secrets) {
    const long =
      value.length < SHORTEST_SECRET ? [] : [...formsOf(value)].filter((form) => form.length >= SHORTEST_SECRET)
    for (const text of long.flatMap(written)) {
      const key = startOf(text, 0)
      const known = byStart.get(key) ?? []
      if (known.some((form) => form.text === text)) continue
      byStart.set(key, [...known, { text, name }])
      starts[text.charCodeAt(0)] = 1
      longest = Math.max(longest, text.length)
    }
  }
  return { starts, byStart, longest }
}

const startOf = (text: string, at: number): number => text.charCodeAt(at) * 65_536 + text.charCodeAt(at + 1)

interface Range {
  readonly from: number
  to: number
  readonly name: string
}

/**
 * Goes through a text once. Values that overlap are hidden together. `final`: nothing comes after it. `say`: what is
 * said in the place of a hidden text.
 */
function scan(
  forms: Forms,
  text: string,
  final: boolean,
  say: (hidden: string, mark: string) => string = (_, mark) => mark,
): { said: string; rest: string } {
  const hidden = ({ from, to, name }: Range) => say(text.slice(from, to), markOf(name))
  let said = ''
  let from = 0
  let range: Range | null = null
  for (let at = 0; at < text.length; at += 1) {
    if (range && at >= range.to) {
      said += hidden(range)
      from = range.to
      range = null
    }
    if (forms.starts[text.charCodeAt(at)] === 0) continue
    const found = look(forms, text, at)
    if (found.open && !final) {
      const cut: number = range ? range.from : at
      return { said: range ? said : said + text.slice(from, at), rest: text.slice(cut) }
    }
    if (found.form === null) continue
    const to = at + found.form.text.length
    if (range) range.to = Math.max(range.to, to)
    else {
      said += text.slice(from, at)
      range = { from: at, to, name: found.form.name }
    }
  }
  return { said: said + (range ? hidden(range) : text.slice(from)), rest: '' }
}

/** The longest form that stands at a place, and whether one could still come about there when the text goes on. */
function look({ byStart, longest }: Forms, text: string, at: number): { form: Form | null; open: boolean } {
  const left = text.length - at
  if (left === 1) return { form: null, open: true }
  let form: Form | null = null
  let open = false
  const end = left < longest ? text.slice(at) : null
  for (const candidate of byStart.get(startOf(text, at)) ?? []) {
    if (candidate.text.length > left) open ||= end !== null && candidate.text.startsWith(end)
    else if (candidate.text.length > (form?.text.length ?? 0) && text.startsWith(candidate.text, at)) form = candidate
  }
  return { form, open }
}

/** Gives back the very same value where no text in it changes. */
function mapTexts(value: unknown, map: (text: string) => string): unknown {
  if (typeof value === 'string') return map(value)
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) {
    const mapped = value.map((each) => mapTexts(each, map))
    return mapped.every((each, index) => each === value[index]) ? value : mapped
  }
  const entries = Object.entries(value)
  const mapped = entries.map(([key, each]) => [map(key), mapTexts(each, map)] as const)
  const same = mapped.every(([key, each], index) => key === entries[index]?.[0] && each === entries[index]?.[1])
  return same ? value : Object.fromEntries(mapped)
}

/** Hides values in a text that comes in pieces and is never said again. */
export interface TextFilter {
  push(piece: string): string
  /** What was held back: nothing more comes. */
  end(): string
}

export function createTextFilter(mask: () => Mask): TextFilter {
  let held = ''
  return {
    push(piece) {
      const { said, rest } = mask().begin(held + piece)
      held = rest
      return said
    },
    end() {
      const last = mask().text(held)
      held = ''
      return last
    },
  }
}
