import type { ContentBlock } from '../../model/events/events.ts'

const LONGEST = 60
/** Orders for the scripted agent, which is a program of its own. Here they are only a JSON list of steps. */
const SCRIPT = /@@do([\s\S]*?)@@end/g

/** Returns the name of a session by its first prompt: its text, else the first step of its script. */
export function nameOf(content: readonly ContentBlock[]): string | null {
  const text = content.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join(' ')
  return shortened(text.replace(SCRIPT, ' ')) ?? shortened(firstStep(text))
}

function shortened(text: string): string | null {
  const name = text.replace(/\s+/g, ' ').trim()
  if (name.length <= LONGEST) return name || null
  return `${name.slice(0, LONGEST).replace(/\s+\S*$/, '')}…`
}

/** Describes the first step as the transcript shows it; empty for an invalid script. */
function firstStep(text: string): string {
  const [script] = text.matchAll(SCRIPT)
  if (!script) return ''
  try {
    const steps: unknown = JSON.parse(script[1] ?? '')
    const [key, value] = Object.entries((Array.isArray(steps) && steps[0]) || {})[0] ?? ['', null]
    if (typeof value === 'string') return key === 'say' || key === 'think' ? value : `${key} ${value}`
    const title = (value as { title?: unknown } | null)?.title
    return typeof title === 'string' ? title : key
  } catch {
    // The run itself reports the error.
    return ''
  }
}
