/** A line of a value with several lines, a key in PEM for instance, is a secret of its own from this length on. */
const LINE_CHARS = 12

/**
 * The forms in which a value comes along: as it is, its lines, escaped as JSON (also JSON inside of JSON), encoded for
 * an address or a form, and in base64, also in the middle of a longer one, as in `Authorization: Basic`.
 */
export function formsOf(value: string): Set<string> {
  const lines = value.split(/\r?\n/).filter((line) => line.length >= LINE_CHARS && !line.startsWith('-----'))
  const plain = [value, value.trim(), ...(lines.length > 1 ? lines : [])]
  return new Set([...plain.flatMap((text) => [text, ...escaped(text), ...encoded(text)]), ...base64(value)])
}

function escaped(text: string): string[] {
  const once = JSON.stringify(text).slice(1, -1)
  return [once, JSON.stringify(once).slice(1, -1)]
}

function encoded(text: string): string[] {
  // A half of a pair of surrogates has no encoding.
  const address = encodeURIComponent(text.toWellFormed())
  const small = address.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())
  const form = new URLSearchParams([['', text]]).toString().slice(1)
  return [address, small, form]
}

/** What a value always looks like in base64, whatever stands before and behind it: three positions, two alphabets. */
function base64(value: string): string[] {
  const bytes = new TextEncoder().encode(value)
  const forms = [0, 1, 2].flatMap((before) => {
    const shifted = new Uint8Array(before + bytes.length)
    shifted.set(bytes, before)
    const whole = toBase64(shifted)
    // Characters that share their six bits with a neighbour's bytes say nothing for sure.
    const first = Math.ceil((before * 8) / 6)
    const sure = whole.slice(first, Math.floor((shifted.length * 8) / 6))
    return before === 0 ? [whole, whole.replace(/=+$/, ''), sure] : [sure]
  })
  return forms.flatMap((text) => [text, text.replaceAll('+', '-').replaceAll('/', '_')])
}

function toBase64(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary)
}
