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
import type { ToolItem } from '../../../src/model/events/items.ts'
import { bytes, duration } from '../../texts/format.ts'
import { texts } from '../../texts/texts.ts'
import { Button } from '../../ui/Button.tsx'
import { Fold } from '../../ui/Fold.tsx'
import { useNow } from '../../ui/use-now.ts'
import { useSession } from '../session-context.ts'
import { ToolContent } from './ToolContent.tsx'
import { commandOf, exitOf, hasDiff, hasOutput, shortPath } from './tool-details.ts'

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
  // Names of agents for subagents. ACP does not define one yet.
  agent: Bot,
  subagent: Bot,
  task: Bot,
}

const WholeOutput = lazy(() => import('./WholeOutput.tsx').then(({ WholeOutput }) => ({ default: WholeOutput })))

/** One tool call: a line with its title and state, and its content below. */
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
            {running ? <Running since={item.startedAt} status={item.status} /> : texts.transcript.step(item.status)}
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
          {item.clippedBytes > 0 && <Hidden item={item} />}
        </>
      )}
    </Fold>
  )
}

function Hidden({ item }: { item: ToolItem }) {
  const [open, setOpen] = useState(false)
  return (
    <p className="left-out">
      <span className="faint">{texts.transcript.tool.leftOut(bytes(item.clippedBytes))}</span>
      <Button label={texts.transcript.tool.showWhole} onClick={() => setOpen(true)} />
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
      {texts.transcript.step(status === 'pending' ? status : 'in_progress')}
      {seconds >= 2 && <span className="tool-took">{duration(seconds * 1_000).replace('.0', '')}</span>}
    </>
  )
}
