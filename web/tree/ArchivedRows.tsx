import { Link } from '@tanstack/react-router'
import { ArchiveRestore, Folder, FolderKanban, MessageSquareText } from 'lucide-react'
import { unarchive } from '../data/archive.ts'
import { usePages } from '../data/queries.ts'
import { usePage, useWorkspace } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'
import type { TreeNoun } from '../texts/words/nouns.ts'
import { Button, IconButton } from '../ui/Button.tsx'
import { Problem } from '../ui/Problem.tsx'

const PAGE = 100

/** The archived Spaces, projects and sessions, each with a button that restores it. */
export function ArchivedRows() {
  const { rows, older, problem, pending } = useArchived()
  const empty = Object.values(rows).every(({ length }) => length === 0)
  return (
    <section className="archived" aria-label={texts.tree.archived.title}>
      <h2>{texts.tree.archived.title}</h2>
      {pending && <p className="rail-empty late">{texts.tree.archived.looking}</p>}
      <Problem error={problem} />
      {empty && !pending && !problem && <p className="rail-empty">{texts.tree.archived.empty}</p>}
      <ul>
        {(['space', 'project', 'session'] as const).map((noun) =>
          rows[noun].map((row) => <Row key={row.id} noun={noun} row={row} />),
        )}
      </ul>
      {older && (
        <div className="older-sessions">
          <Button className="quiet" disabled={older.pending} onClick={older.load}>
            {older.pending ? texts.tree.loadingOlder : texts.tree.archived.older}
          </Button>
        </div>
      )}
    </section>
  )
}

const ICONS = { space: Folder, project: FolderKanban, session: MessageSquareText }

function Row({ noun, row }: { noun: TreeNoun; row: { id: string; name: string } }) {
  const page = usePage()
  const Icon = ICONS[noun]
  return (
    <li className="archived-row">
      <Icon className="glyph" aria-hidden />
      {noun === 'session' ? (
        <Link to="/s/$session" params={{ session: row.id }} className="cut grow" title={row.name}>
          {row.name}
        </Link>
      ) : (
        <span className="cut grow" title={row.name}>
          {row.name}
        </span>
      )}
      <IconButton
        icon={ArchiveRestore}
        label={texts.tree.archived.restoreOne(noun, row.name)}
        className="small"
        title={texts.tree.archived.unarchive}
        onClick={() => void unarchive(page, noun, [row])}
      />
    </li>
  )
}

/** Returns the archived items. The workspace lacks older sessions, so archived sessions are requested. */
function useArchived() {
  const view = useWorkspace()
  const known = Object.values(view.sessions)
    .filter(({ archivedAt }) => archivedAt !== null)
    .map(({ id }) => id)
  const key = ['archived', known.sort().join()] as const
  const asked = usePages(key, 'sessions.list', { archived: true, limit: PAGE }, { staleTime: 0 })
  const archived = <T extends { archivedAt: number | null }>(rows: readonly T[]): T[] =>
    rows.filter(({ archivedAt }) => archivedAt !== null).sort((a, b) => b.archivedAt! - a.archivedAt!)
  // The stream is newer than a list that was requested a while ago.
  const sessions = (asked.data?.pages ?? []).flatMap((each) => each.sessions).map((row) => view.sessions[row.id] ?? row)
  return {
    rows: {
      space: archived(Object.values(view.spaces)),
      project: archived(Object.values(view.projects)),
      session: archived(sessions),
    },
    older: asked.hasNextPage ? { pending: asked.isFetchingNextPage, load: () => void asked.fetchNextPage() } : null,
    problem: asked.error,
    pending: asked.isPending,
  }
}
