import { Fold } from '../ui/Fold.tsx'
import { asText } from '../ui/format.ts'
import { Markdown } from '../ui/Markdown.tsx'
import { Blocks } from './Blocks.tsx'
import { InlineDiff } from './InlineDiff.tsx'
import { commandOf, diffOf, outputOf, type ToolLike } from './tool-words.ts'

/** What a tool call carries: diffs, output, pictures; its raw input and output folded. */
export function ToolContent({ id, tool, input = true }: { id: string; tool: ToolLike; input?: boolean }) {
  const parts = tool.content ?? []
  const command = commandOf(tool)
  return (
    <div className="tool-content">
      {command?.includes('\n') && <pre className="output scroll">{command}</pre>}
      {parts.map((part, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a part has no identity but its place
        <Part key={at} part={part} plain={command !== null || tool.toolKind === 'read'} />
      ))}
      {parts.length === 0 && tool.rawOutput !== undefined && <RawOutput value={tool.rawOutput} />}
      {input && tool.rawInput !== undefined && tool.rawInput !== null && (
        <Fold id={`${id}.input`} className="thought" head={<span>Input as the agent said it</span>}>
          {() => <pre className="output scroll">{asText(tool.rawInput)}</pre>}
        </Fold>
      )}
      {parts.length > 0 && tool.rawOutput !== undefined && (
        <Fold id={`${id}.output`} className="thought" head={<span>Output as the agent said it</span>}>
          {() => <pre className="output scroll">{asText(tool.rawOutput)}</pre>}
        </Fold>
      )}
      {parts.length === 0 && tool.rawOutput === undefined && tool.rawInput === undefined && (
        <p className="faint">The agent told nothing more about this.</p>
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
    return plain || output.fenced ? <pre className="output scroll">{output.text}</pre> : <Markdown text={output.text} />
  }
  const { type, content, terminalId } = (part ?? {}) as Record<string, unknown>
  if (type === 'terminal') return <p className="faint">Output of terminal {String(terminalId)}</p>
  return <Blocks blocks={[type === 'content' ? content : part]} />
}

function RawOutput({ value }: { value: unknown }) {
  const { stdout, stderr, output, formatted_output: formatted } = (value ?? {}) as Record<string, unknown>
  const text = [formatted ?? output ?? stdout, stderr]
    .filter((each) => typeof each === 'string' && each !== '')
    .join('\n')
  return <pre className="output scroll">{text || asText(value)}</pre>
}
