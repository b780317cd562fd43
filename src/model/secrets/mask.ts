import { formsOf } from './secret-forms.ts'

export interface KnownSecret {
  readonly name: string
  readonly value: string
}

/** Masks known secrets in all that is stored or shown (B3). Other text passes unchanged and in order. */
export interface Mask {
  readonly empty: boolean
  text(text: string): string
  /** Masks a complete text and keeps its number of lines: a multi-line secret is masked line by line. */
  lines(text: string): string
  /** Like `lines`, for bytes as latin1 characters: secrets are found as UTF-8 and as latin1. */
  binary(bytes: string): string
  /** Masks a text that is sent again with more at its end: also a possible beginning of a secret at its end. */
  growing(text: string): string
  /** Masks all texts of a JSON value; returns the same object when nothing changes. */
  value<T>(value: T, growing?: boolean): T
  /** Masks the beginning of a stream. `rest`: its end, which may be the beginning of a secret. */
  begin(text: string): { readonly masked: string; readonly rest: string }
}

export const NO_MASK: Mask = {
  empty: true,
  text: (text) => text,
  lines: (text) => text,
  binary: (bytes) => bytes,
  growing: (text) => text,
  value: (value) => value,
  begin: (text) => ({ masked: text, rest: '' }),
}

export const markOf = (name: string): string => `[secret ${name}]`

/** Minimum length of a secret: masking shorter, common words would mask ordinary text. */
export const SHORTEST_SECRET = 6
const CUT = '…'

export function createMask(secrets: Iterable<KnownSecret>): Mask {
  const known = [...secrets]
  const forms = createForms(known, (form) => [form])
  if (forms.longest === 0) return NO_MASK
  // Made on first use: few callers mask bytes.
  let inBytes: Forms | null = null
  const text = (whole: string) => scan(forms, whole, true).masked
  const growing = (part: string) => {
    const { masked, rest } = scan(forms, part, false)
    return rest.length < SHORTEST_SECRET ? masked + text(rest) : masked + CUT
  }
  return {
    empty: false,
    text,
    lines: (whole) => scan(forms, whole, true, byLine).masked,
    binary(bytes) {
      inBytes ??= createForms(known, bytesOf)
      return scan(inBytes, bytes, true, byLine).masked
    },
    growing,
    value: (value, grows = false) => mapTexts(value, grows ? growing : text) as typeof value,
    begin: (part) => scan(forms, part, false),
  }
}

const byLine = (hidden: string, mark: string): string => hidden.replace(/[^\r\n]+/g, () => mark)

/** Returns a form as byte strings. A character beyond latin1 never matches; its UTF-8 form does. */
function bytesOf(form: string): string[] {
  const utf8 = Array.from(new TextEncoder().encode(form), (byte) => String.fromCharCode(byte)).join('')
  return [form, utf8]
}

/** All forms of all secrets, indexed by their first two characters. */
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
 * Scans a text once and masks secrets. Overlapping secrets become one mark. `final`: no text follows. `replace`: returns
 * the replacement of a secret.
 */
function scan(
  forms: Forms,
  text: string,
  final: boolean,
  replace: (hidden: string, mark: string) => string = (_, mark) => mark,
): { masked: string; rest: string } {
  const markFor = ({ from, to, name }: Range) => replace(text.slice(from, to), markOf(name))
  let masked = ''
  let from = 0
  let range: Range | null = null
  for (let at = 0; at < text.length; at += 1) {
    if (range && at >= range.to) {
      masked += markFor(range)
      from = range.to
      range = null
    }
    if (forms.starts[text.charCodeAt(at)] === 0) continue
    const found = findForm(forms, text, at)
    if (found.open && !final) {
      const cut: number = range ? range.from : at
      return { masked: range ? masked : masked + text.slice(from, at), rest: text.slice(cut) }
    }
    if (found.form === null) continue
    const to = at + found.form.text.length
    if (range) range.to = Math.max(range.to, to)
    else {
      masked += text.slice(from, at)
      range = { from: at, to, name: found.form.name }
    }
  }
  return { masked: masked + (range ? markFor(range) : text.slice(from)), rest: '' }
}

/** Finds the longest form at a position. `open`: more text could complete a form there. */
function findForm({ byStart, longest }: Forms, text: string, at: number): { form: Form | null; open: boolean } {
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

export type TextFilter = ReturnType<typeof createTextFilter>

/** Masks secrets in a text that arrives in pieces. */
export function createTextFilter(mask: () => Mask) {
  let held = ''
  return {
    push(piece: string): string {
      const { masked, rest } = mask().begin(held + piece)
      held = rest
      return masked
    },
    /** Returns the text held back, at the end of the stream. */
    end(): string {
      const last = mask().text(held)
      held = ''
      return last
    },
  }
}
