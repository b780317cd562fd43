const KIB = 1_024
const UNITS: Readonly<Record<string, number>> = { '': 1, k: KIB, m: KIB ** 2, g: KIB ** 3, t: KIB ** 4 }

/** Parses `2g`, `512m`, `1.5 GiB` or a number of bytes; units are powers of 1024. Returns null for other texts. */
export function readSize(text: string): number | null {
  const found = /^\s*(\d+(?:\.\d+)?)\s*(?:([kmgt])(?:i?b)?|b)?\s*$/i.exec(text)
  const unit = found && UNITS[(found[2] ?? '').toLowerCase()]
  return found && unit ? Math.round(Number(found[1]) * unit) : null
}

/** Formats a size for people: `512 MiB`, `1.5 GiB`, `100 bytes`. */
export function sizeWords(bytes: number): string {
  for (const [name, unit] of [
    ['TiB', KIB ** 4],
    ['GiB', KIB ** 3],
    ['MiB', KIB ** 2],
    ['KiB', KIB],
  ] as const)
    if (bytes >= unit) return `${Math.round((bytes / unit) * 100) / 100} ${name}`
  return `${bytes} bytes`
}

/** Formats a size for `readSize`, as short as possible without loss: `512m`. */
export function sizeShort(bytes: number): string {
  for (const letter of ['t', 'g', 'm', 'k']) {
    const unit = UNITS[letter] ?? 1
    if (bytes >= unit && bytes % unit === 0) return `${bytes / unit}${letter}`
  }
  return String(bytes)
}
