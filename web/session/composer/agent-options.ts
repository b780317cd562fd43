import { texts } from '../../texts/texts.ts'

/** A setting that an agent offers. */
export interface AgentOption {
  readonly id: string
  readonly name: string
  readonly note: string | null
  readonly kind: 'select' | 'boolean'
  readonly value: string
  readonly choices: readonly { readonly value: string; readonly label: string; readonly note: string | null }[]
}

const record = (value: unknown): Record<string, unknown> =>
  value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : {}
const textOr = (value: unknown, other: string): string => (typeof value === 'string' && value ? value : other)

/** Reads ACP config options. Unknown kinds are ignored, and groups are flattened. */
export function readOptions(
  options: readonly unknown[],
  wanted: Readonly<Record<string, string | boolean>>,
): AgentOption[] {
  return options.flatMap((raw): AgentOption[] => {
    const { id, name, description, type, currentValue, options: offered } = record(raw)
    if (typeof id !== 'string') return []
    const base = { id, name: textOr(name, id), note: typeof description === 'string' ? description : null }
    const value = String(wanted[id] ?? currentValue ?? '')
    if (type === 'boolean') {
      const choices = [
        { value: 'true', label: texts.composer.on(base.name), note: null },
        { value: 'false', label: texts.composer.off(base.name), note: null },
      ]
      return [{ ...base, kind: 'boolean', value, choices }]
    }
    const choices = choicesOf(offered)
    return choices.length > 0 ? [{ ...base, kind: 'select', value, choices }] : []
  })
}

function choicesOf(offered: unknown): AgentOption['choices'] {
  if (!Array.isArray(offered)) return []
  return offered.flatMap((raw) => {
    const { value, name, description, options } = record(raw)
    if (Array.isArray(options)) return choicesOf(options)
    if (typeof value !== 'string') return []
    return [{ value, label: textOr(name, value), note: typeof description === 'string' ? description : null }]
  })
}
