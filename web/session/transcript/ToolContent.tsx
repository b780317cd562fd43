import { asText } from '../../texts/format.ts'
import { texts } from '../../texts/texts.ts'
import { Fold } from '../../ui/Fold.tsx'
import { Markdown } from '../../ui/Markdown.tsx'
import { Blocks } from './Blocks.tsx'
import { InlineDiff } from './InlineDiff.tsx'
import { commandOf, diffOf, outputOf, type ToolLike } from './tool-details.ts'
import { rawText } from './whole-output.ts'

/** Kinds of tools whose output is plain text of files and programs. */
const PLAIN = new Set(['read', 'execute', 'search'])
/** Longer text is not written for people, and its parsing would block the page. Characters. */
const LONGEST_MARKDOWN = 20_000

/** The content of a tool call: diffs, output and pictures, with raw input and output folded. */
export function ToolContent({ id, tool, input = true }: { id: string; tool: ToolLike; input?: boolean }) {
  const parts = tool.content ?? []
  const command = commandOf(tool)
  return (
    <div className="tool-content">
      {command?.includes('\n') && <Output text={command} />}
      {parts.map((part, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a part has no identity but its place
        <Part key={at} part={part} plain={command !== null || PLAIN.has(tool.toolKind ?? '')} />
      ))}
      {parts.length === 0 && tool.rawOutput !== undefined && <Output text={rawText(tool.rawOutput)} />}
      {input && tool.rawInput !== undefined && tool.rawInput !== null && (
        <Fold id={`${id}.input`} className="thought" head={<span>{texts.transcript.tool.input}</span>}>
          {() => <Output text={asText(tool.rawInput)} />}
        </Fold>
      )}
      {parts.length > 0 && tool.rawOutput !== undefined && (
        <Fold id={`${id}.output`} className="thought" head={<span>{texts.transcript.tool.output}</span>}>
          {() => <Output text={asText(tool.rawOutput)} />}
        </Fold>
      )}
      {parts.length === 0 && tool.rawOutput === undefined && tool.rawInput === undefined && (
        <p className="faint">{texts.transcript.tool.nothing}</p>
      )}
    </div>
  )
}

function Part({ part, plain }: { part: unknown; plain: boolean }) {
  const diff = diffOf(part)
  if (diff) return <InlineDiff {...diff} />
  const output = outputOf(part)
  if (output) {
    if (!output.text.trim()) return null
    return plain || output.fenced || output.text.length > LONGEST_MARKDOWN ? (
      <Output text={output.text} />
    ) : (
      <Markdown text={output.text} />
    )
  }
  const { type, content, terminalId } = (part ?? {}) as Record<string, unknown>
  if (type === 'terminal') return <p className="faint">{texts.transcript.tool.terminal(String(terminalId))}</p>
  return <Blocks blocks={[type === 'content' ? content : part]} />
}

function Output({ text }: { text: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling box must be reachable by keyboard
    <pre className="output scroll" dir="ltr" tabIndex={0}>
      {text}
    </pre>
  )
}
