/** Minimum length of a line that counts as its own secret, in a multi-line value such as a PEM key. */
const LINE_CHARS = 12

/**
 * Returns the forms in which a secret may appear: unchanged, its lines, JSON-escaped once or twice, URL-encoded,
 * form-encoded, and in base64, also inside a longer base64 text as in `Authorization: Basic`.
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
  // A lone surrogate has no URL encoding.
  const address = encodeURIComponent(text.toWellFormed())
  const small = address.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())
  const form = new URLSearchParams([['', text]]).toString().slice(1)
  return [address, small, form]
}

/** Returns the base64 texts of a secret at any position in a longer text: three alignments, two alphabets. */
function base64(value: string): string[] {
  const bytes = new TextEncoder().encode(value)
  const forms = [0, 1, 2].flatMap((before) => {
    const shifted = new Uint8Array(before + bytes.length)
    shifted.set(bytes, before)
    const whole = toBase64(shifted)
    // Characters that share bits with neighbouring bytes are not fixed.
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
