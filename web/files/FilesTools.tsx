import { FolderTree, FoldVertical, List, UnfoldVertical } from 'lucide-react'
import type { PlanRequest } from '../../src/model/files/history.ts'
import type { Session } from '../../src/model/tree.ts'
import type { Scope } from '../data/files.ts'
import { overlay } from '../data/overlay.ts'
import { panel, showPanel } from '../data/panel.ts'
import { agentName, useAgents, useRuns } from '../data/queries.ts'
import { DiffTools } from '../diff/DiffTools.tsx'
import { clockTime } from '../texts/format.ts'
import { texts } from '../texts/texts.ts'
import { IconButton } from '../ui/Button.tsx'
import { Choice } from '../ui/Choice.tsx'
import { useCell } from '../ui/cell.ts'
import { Menu } from '../ui/Menu.tsx'
import { fileOrder, setFileOrder } from './order.ts'

interface Props {
  readonly row: Session
  readonly scope: Scope
  readonly count: number
  readonly seen: number
  readonly allOpen: boolean
  readonly onOpenAll: (open: boolean) => void
}

/** The scope and layout of the list, and the acts on all of its changes. */
export function FilesTools({ row, scope, count, seen, allOpen, onOpenAll }: Props) {
  const order = useCell(fileOrder)
  const labels = texts.files
  const all = allOpen ? labels.closeAll : labels.openAll
  const other = order === 'tree' ? 'flat' : 'tree'
  const OrderMark = order === 'tree' ? List : FolderTree
  return (
    <div className="files-tools">
      <div className="row">
        <ScopeChoice row={row} scope={scope} />
        <span className="faint cut grow" role="status">
          {count > 0 && (seen > 0 ? labels.shown(seen, count) : labels.count(count))}
        </span>
        {scope.kind !== 'since' && count > 0 && <UndoAll project={row.project} scope={scope} />}
      </div>
      {count > 0 && (
        <div className="row files-look">
          <IconButton icon={OrderMark} label={labels.lists[other]} onClick={() => setFileOrder(other)} />
          <IconButton icon={allOpen ? FoldVertical : UnfoldVertical} label={all} onClick={() => onOpenAll(!allOpen)} />
          <span className="grow" />
          <DiffTools onSplit={() => showPanel('files', { wide: true })} />
        </div>
      )}
    </div>
  )
}

function UndoAll({ project, scope }: { project: string; scope: Exclude<Scope, { kind: 'since' }> }) {
  const labels = texts.files
  const [label, title] =
    scope.kind === 'run' ? [labels.undoRun, labels.undoTitle.run] : [labels.undoSession, labels.undoTitle.session]
  const act = (): void =>
    overlay.set({ kind: 'plan', project, title, request: { kind: 'undo', of: scope } as PlanRequest })
  return <Menu label={title} entries={[{ label, act }]} />
}

function ScopeChoice({ row, scope }: { row: Session; scope: Scope }) {
  const { since } = useCell(panel)
  const agents = useAgents().data?.agents
  const runs = useRuns(row.id, `${row.lastRun?.id}.${row.state}`).data?.runs ?? []
  const labels = texts.files
  const options = [
    { value: 'session', label: labels.scope.session },
    ...(since !== null ? [{ value: 'since', label: labels.scope.since(since) }] : []),
    ...runs.map(({ id, agent, admittedAt }) => ({
      value: id as string,
      label: labels.runOf(agentName(agents, agent), clockTime(admittedAt)),
    })),
  ]
  const choose = (value: string): void => {
    if (value === 'since') showPanel('files', { run: null })
    else showPanel('files', value === 'session' ? { run: null, since: null } : { run: value })
  }
  return (
    <Choice
      label={labels.scope.label}
      value={scope.kind === 'run' ? scope.run : scope.kind}
      options={options}
      onChoose={choose}
    />
  )
}
