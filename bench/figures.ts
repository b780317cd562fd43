/** One measurement; null when it failed. */
export type Figure = number | null

/** One line of the table. Rounds of ours and theirs alternate, so that a slow moment of the machine hits both. */
export interface Result {
  readonly name: string
  readonly unit: string
  readonly ours: readonly number[]
  /** Values of the reference server; empty when it has no such feature. */
  readonly theirs: readonly number[]
  /** Target of our values, with its check. */
  readonly target?: Target | undefined
  /** Method of the measurement, where the name does not say it. */
  readonly note?: string | undefined
}

export interface Target {
  readonly text: string
  reached(ours: number, theirs: Figure): boolean
}

export const below = (limit: number, unit: string): Target => ({
  text: `< ${limit} ${unit}`,
  reached: (ours) => ours < limit,
})

export const timesTheirs = (factor: number): Target => ({
  text: `>= ${factor} x theirs`,
  reached: (ours, theirs) => theirs !== null && ours >= factor * theirs,
})

/** The value that half of them are below; null of none. */
export function median(values: readonly number[]): Figure {
  return percentile(values, 50)
}

/** The smallest value that `percent` of them do not exceed; null of none. */
export function percentile(values: readonly number[], percent: number): Figure {
  if (values.length === 0) return null
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil((sorted.length * percent) / 100 - 1e-9) - 1)] ?? sorted[0] ?? null
}

/** A number with as many digits as a noisy measurement deserves. */
export function written(value: Figure, unit = ''): string {
  if (value === null) return '-'
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  const text = value.toLocaleString('en-US', { maximumFractionDigits: digits, minimumFractionDigits: digits })
  return unit === '' ? text : `${text} ${unit}`
}

const HEAD = ['Measurement', 'Carrel', 'min - max', 'durable-streams', 'Ratio', 'Target']

/** A Markdown table, which reads as well in a terminal. Medians over the rounds. */
export function table(results: readonly Result[]): string {
  const rows = results.map((result) => {
    const ours = median(result.ours)
    const theirs = median(result.theirs)
    const span =
      result.ours.length > 1 ? `${written(Math.min(...result.ours))} - ${written(Math.max(...result.ours))}` : ''
    const ratio = ours === null || theirs === null ? '' : `${written(ours / theirs)} x`
    return [
      result.name,
      written(ours, result.unit),
      span,
      written(theirs, result.unit),
      ratio,
      verdict(result, ours, theirs),
    ]
  })
  const widths = HEAD.map((head, column) => Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  return [line(HEAD), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n')
}

function verdict({ target }: Result, ours: Figure, theirs: Figure): string {
  if (!target) return ''
  if (ours === null) return `${target.text}: not measured`
  return `${target.text}: ${target.reached(ours, theirs) ? 'yes' : 'NO'}`
}

/** The notes of the lines that have one, as a list. */
export function notes(results: readonly Result[]): string {
  return results.flatMap(({ name, note }) => (note ? [`- ${name}: ${note}`] : [])).join('\n')
}
