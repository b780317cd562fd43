import type { Span, SpanKind } from '../../model/files/authorship.ts'
import type { RunId, SessionId, WorkspaceId } from '../../model/ids.ts'
import type { Store } from '../../store/store.ts'
import { loadFold } from '../folding.ts'
import { allRows } from '../pages.ts'
import { placeKey } from './project-places.ts'

/** A run of an earlier server without an end. Its agent may have gone on without a server. */
export interface CutRun {
  readonly run: RunId
  readonly session: SessionId
  readonly spans: readonly Span[]
}

interface Cut {
  readonly store: Store
  /** When this server began: runs that started later are its own. */
  readonly began: number
  /** The last sign of life of the earlier server, by the clock that stamps files. */
  readonly alive: number
}

/** Finds the runs of a place that were at work when an earlier server ended. */
export async function cutRunsOf(key: string, workspace: WorkspaceId, { store, began, alive }: Cut): Promise<CutRun[]> {
  const projects = new Map((await store.tree.projects(workspace)).map((project) => [project.id, project]))
  const cut: CutRun[] = []
  for await (const { id, session: of, state, startedAt } of allRows((page) =>
    store.log.runs(workspace, { live: true }, page),
  )) {
    if (state !== 'started' || startedAt === null || startedAt >= began) continue
    const session = await store.tree.session(workspace, of)
    const project = session && projects.get(session.project)
    if (!project || placeKey(project) !== key) continue
    const { open } = (await loadFold(store, of)).view
    const kind: SpanKind = Object.keys(open).length > 0 ? 'waits' : 'work'
    cut.push({
      run: id,
      session: of,
      spans: [
        { kind, from: 0, to: alive },
        { kind: 'unwatched', from: alive, to: null },
      ],
    })
  }
  return cut
}
