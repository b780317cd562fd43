import type { ContentBlock } from '../../model/events.ts'

const LONGEST = 60
/** Orders for the scripted agent, which stands alone: no more of them is known here than that they are a list of steps. */
const SCRIPT = /@@do([\s\S]*?)@@end/g

/** What a session is called after its first prompt: its words, or where it has none what its script does first. */
export function nameOf(content: readonly ContentBlock[]): string | null {
  const text = content.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join(' ')
  return shortened(text.replace(SCRIPT, ' ')) ?? shortened(firstDeed(text))
}

function shortened(text: string): string | null {
  const name = text.replace(/\s+/g, ' ').trim()
  if (name.length <= LONGEST) return name || null
  return `${name.slice(0, LONGEST).replace(/\s+\S*$/, '')}…`
}

/** In the words of the script, as people read them in the transcript. Empty where it cannot be read. */
function firstDeed(text: string): string {
  const [script] = text.matchAll(SCRIPT)
  if (!script) return ''
  try {
    const steps: unknown = JSON.parse(script[1] ?? '')
    const [key, what] = Object.entries((Array.isArray(steps) && steps[0]) || {})[0] ?? ['', null]
    if (typeof what === 'string') return key === 'say' || key === 'think' ? what : `${key} ${what}`
    const title = (what as { title?: unknown } | null)?.title
    return typeof title === 'string' ? title : key
  } catch {
    // The run says what is wrong with it.
    return ''
  }
}
