import {
  ArrowRightLeft,
  Bot,
  Brain,
  CircleHelp,
  FileText,
  Globe,
  Pencil,
  Search,
  SquareTerminal,
  Trash2,
  Wrench,
} from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import type { ToolItem } from '../../src/model/items.ts'
import { texts } from '../texts/texts.ts'
import { Fold } from '../ui/Fold.tsx'
import { bytes, duration } from '../ui/format.ts'
import { useNow } from '../ui/use-now.ts'
import { useSession } from './session-context.ts'
import { ToolContent } from './ToolContent.tsx'
import { commandOf, exitOf, hasDiff, hasOutput, shortPath } from './tool-words.ts'

const ICONS: Record<string, typeof Wrench> = {
  read: FileText,
  edit: Pencil,
  delete: Trash2,
  move: ArrowRightLeft,
  search: Search,
  execute: SquareTerminal,
  think: Brain,
  fetch: Globe,
  other: Wrench,
  // What agents call one that works for them; ACP has no word for it yet.
  agent: Bot,
  subagent: Bot,
  task: Bot,
}

const ENDED: Readonly<Record<string, string>> = texts.transcript.tool.ended

const WholeOutput = lazy(() => import('./WholeOutput.tsx').then(({ WholeOutput }) => ({ default: WholeOutput })))

/** One tool call: a line that tells what and how it went, and under it what came of it. */
export function ToolRow({ item }: { item: ToolItem }) {
  const { root } = useSession()
  const Icon = ICONS[item.toolKind] ?? CircleHelp
  const command = commandOf(item)
  const running = item.endedAt === null
  const bad = item.status === 'failed' || item.status === 'interrupted'
  const place = item.locations[0]
  const title = command ?? item.title
  const exit = exitOf(item)
  return (
    <Fold
      id={`tool.${item.n}`}
      className="tool"
      byDefault={bad || (item.status !== 'pending' && (hasDiff(item) || (running && hasOutput(item))))}
      head={
        <>
          <Icon className="glyph tool-mark" aria-label={item.toolKind} />
          <span className={`cut tool-title ${command ? 'mono' : ''}`} title={title}>
            {title}
          </span>
          {place && !title.includes(shortPath(place.path, root)) && (
            <span className="cut faint tool-place" title={item.locations.map(({ path }) => path).join('\n')}>
              {shortPath(place.path, root)}
              {place.line ? `:${place.line}` : ''}
              {item.locations.length > 1 && ` +${item.locations.length - 1}`}
            </span>
          )}
          <span className="grow" />
          {exit !== null && exit !== 0 && <span className="tool-state bad">{texts.transcript.tool.exit(exit)}</span>}
          {item.ruled && <span className="faint cut">{item.ruled}</span>}
          <span
            className={`tool-state ${bad ? 'bad' : ''}`}
            data-running={(running && item.status !== 'pending') || undefined}
          >
            {running ? <Running since={item.startedAt} status={item.status} /> : (ENDED[item.status] ?? item.status)}
            {!running && item.endedAt !== null && item.endedAt - item.startedAt >= 100 && (
              <span className="tool-took">{duration(item.endedAt - item.startedAt)}</span>
            )}
          </span>
        </>
      }
    >
      {() => (
        <>
          <ToolContent id={`tool.${item.n}`} tool={item} />
          {item.clippedBytes > 0 && <LeftOut item={item} />}
        </>
      )}
    </Fold>
  )
}

/** Says that this is not all, and has the log give the rest. */
function LeftOut({ item }: { item: ToolItem }) {
  const [open, setOpen] = useState(false)
  return (
    <p className="left-out">
      <span className="faint">{texts.transcript.tool.leftOut(bytes(item.clippedBytes))}</span>
      <button type="button" className="btn" onClick={() => setOpen(true)}>
        {texts.transcript.tool.showWhole}
      </button>
      {open && (
        <Suspense>
          <WholeOutput item={item} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </p>
  )
}

function Running({ since, status }: { since: number; status: string }) {
  const { live } = useSession()
  const now = useNow(1_000, live)
  const seconds = Math.floor((now - since) / 1_000)
  return (
    <>
      {status === 'pending' ? texts.transcript.tool.pending : texts.transcript.tool.running}
      {seconds >= 2 && <span className="tool-took">{duration(seconds * 1_000).replace('.0', '')}</span>}
    </>
  )
}
