import { compact } from '../texts/format.ts'
import { texts } from '../texts/texts.ts'

/** Returns tokens and cost in short, from any of the fields that agents use. Empty without usage data. */
export function usageText(usage: Readonly<Record<string, unknown>> | null): string {
  if (!usage) return ''
  const total = numberOf(usage, ['totalTokens', 'total_tokens', 'used'])
  const input = numberOf(usage, ['inputTokens', 'input_tokens'])
  const output = numberOf(usage, ['outputTokens', 'output_tokens'])
  const tokens = total ?? (input !== null || output !== null ? (input ?? 0) + (output ?? 0) : null)
  const parts = [tokens !== null && texts.session.tokens(compact(tokens)), costText(usage.cost)]
  return parts.filter(Boolean).join(', ')
}

export function costText(cost: unknown): string {
  const { amount, currency } = (cost ?? {}) as { amount?: unknown; currency?: unknown }
  const sum = typeof cost === 'number' ? cost : typeof amount === 'number' ? amount : null
  if (sum === null) return ''
  const digits = sum < 0.1 ? 4 : 2
  return `${sum.toFixed(digits)} ${typeof currency === 'string' ? currency : 'USD'}`
}

function numberOf(usage: Readonly<Record<string, unknown>>, names: readonly string[]): number | null {
  for (const name of names) if (typeof usage[name] === 'number') return usage[name]
  return null
}
