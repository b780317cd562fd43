import { useEffect, useMemo, useState } from 'react'
import type { PlanRequest } from '../../src/model/files/history.ts'
import type { Session } from '../../src/model/tree.ts'
import { type Scope, useChanges, useHistoryStatus } from '../data/files.ts'
import { overlay } from '../data/overlay.ts'
import { panel } from '../data/panel.ts'
import { useViewed } from '../diff/viewed.ts'
import { texts } from '../texts/texts.ts'
import { useCell } from '../ui/cell.ts'
import { Empty } from '../ui/Empty.tsx'
import { Problem } from '../ui/Problem.tsx'
import { ChangeList } from './ChangeList.tsx'
import { FilesTools } from './FilesTools.tsx'
import { byAuthor, type Touched, telling } from './groups.ts'
import { GapsLine, HistoryNote } from './HistoryNote.tsx'
import { fileOrder } from './order.ts'
import { RemarksBar } from './RemarksBar.tsx'
import './files.css'

/** The changes of a session, of a run or since a snapshot, with their diffs. */
export function FilesPanel({ row, stamp }: { row: Session; stamp: string }) {
  const { run, since, path } = useCell(panel)
  const scope = scopeOf(row.id, run, since)
  const status = useHistoryStatus(row.project, stamp)
  const n = status.data?.n ?? 0
  const { data, error, isPending } = useChanges(row.project, scope, n)
  const changes = useMemo(() => telling(data?.changes ?? []), [data])
  const [opened, toggle, setOpened] = useOpened(changes, path)
  const viewed = useViewed(row.id)
  const order = useCell(fileOrder)
  const keys = byAuthor(changes).flatMap((group) => group.changes.map((change) => `${group.key} ${change.path}`))
  const labels = texts.files
  return (
    <>
      <FilesTools
        row={row}
        scope={scope}
        count={changes.length}
        seen={changes.filter(({ path: each, after }) => viewed.has(each, after)).length}
        allOpen={keys.length > 0 && keys.every((key) => opened.has(key))}
        onOpenAll={(open) => setOpened(new Set(open ? keys : []))}
      />
      <div className="files-body scroll">
        <Problem error={status.error} />
        {status.data && <HistoryNote status={status.data} />}
        <Problem error={error} />
        {isPending && !error && <p className="panel-note">{labels.looking}</p>}
        {data?.changes.length === 0 && status.data?.state !== 'importing' && <Empty {...labels.empty[scope.kind]} />}
        <ChangeList
          project={row.project}
          scope={scope}
          n={n}
          session={row.id}
          changes={changes}
          order={order}
          viewed={viewed}
          opened={opened}
          onToggle={toggle}
          onUndo={undoOf(row.project, scope)}
        />
        {data?.cut && <p className="panel-note">{labels.cut}</p>}
        {status.data && <GapsLine project={row.project} space={row.space} gaps={status.data.gaps} n={n} />}
      </div>
      <RemarksBar session={row.id} />
    </>
  )
}

function scopeOf(session: string, run: string | null, since: number | null): Scope {
  if (run !== null) return { kind: 'run', run }
  return since !== null ? { kind: 'since', from: since } : { kind: 'session', session }
}

/** The expanded rows. A path from the panel's state is expanded once. */
function useOpened(changes: readonly Touched[], path: string | null) {
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set())
  const wanted = byAuthor(changes).find((group) => group.changes.some((change) => change.path === path))
  const key = path !== null && wanted ? `${wanted.key} ${path}` : null
  useEffect(() => {
    if (key === null) return
    setOpened((before) => new Set(before).add(key))
    panel.set({ ...panel.get(), path: null })
  }, [key])
  const toggle = (which: string): void => {
    const next = new Set(opened)
    if (!next.delete(which)) next.add(which)
    setOpened(next)
  }
  return [opened, toggle, setOpened] as const
}

/** Opens the plan that undoes a path or one hunk. Null for changes of all authors. */
function undoOf(project: string, scope: Scope): ((path: string, hunk?: number) => void) | undefined {
  if (scope.kind === 'since') return undefined
  return (path, hunk) => {
    const request = {
      kind: 'undo',
      of: scope,
      paths: [path],
      ...(hunk !== undefined && { hunks: [{ path, indexes: [hunk] }] }),
    } as PlanRequest
    overlay.set({ kind: 'plan', project, request, title: texts.files.undoTitle.path(path) })
  }
}
