import { useParams } from '@tanstack/react-router'
import { Command, defaultFilter } from 'cmdk'
import { CornerDownLeft } from 'lucide-react'
import { useMemo, useState } from 'react'
import { useAgents } from '../data/queries.ts'
import { usePageState, useWorkspace } from '../data/use-page.ts'
import { Hit } from '../search/Hit.tsx'
import { useSearch } from '../search/use-search.ts'
import { closeOverlay } from '../shell/overlay.ts'
import { archivedShown } from '../shell/show-archived.ts'
import { texts } from '../texts/texts.ts'
import { useCell } from '../ui/cell.ts'
import { Dialog } from '../ui/Dialog.tsx'
import { type Entry, groupsOf } from './entries.ts'
import { useDeeds } from './use-deeds.ts'
import './palette.css'

/** Do or find anything, by a few letters of it. */
export function Palette() {
  const [text, setText] = useState('')
  const deeds = useDeeds()
  const groups = useGroups(deeds)
  const pick = ({ act }: Pick<Entry, 'act'>): void => {
    // First, since what is picked may put something else there.
    closeOverlay()
    act()
  }
  const wanted = text.trim()
  return (
    <Dialog title={texts.palette.title} open onClose={closeOverlay} className="palette">
      <Command label={texts.palette.title} loop filter={byWords}>
        <Command.Input
          className="palette-field"
          placeholder={texts.palette.placeholder}
          value={text}
          onValueChange={setText}
          // The dialog gives it the focus; what comes next is meant for it.
          autoFocus
        />
        <Command.List className="palette-list scroll" label={texts.palette.list}>
          <Command.Empty className="palette-empty">{texts.palette.nothing}</Command.Empty>
          {groups.map(({ heading, entries }) => (
            <Command.Group key={heading} heading={heading}>
              {entries.map((entry) => (
                <Row key={entry.id ?? entry.label} entry={entry} onPick={pick} />
              ))}
            </Command.Group>
          ))}
          {wanted.length > 1 && (
            <Command.Group heading={texts.palette.said} forceMount>
              <Command.Item
                forceMount
                value={`search:${wanted}`}
                className="palette-item"
                onSelect={() => pick({ act: () => deeds.search(wanted) })}
              >
                <span className="cut grow">{texts.palette.searchFor(wanted)}</span>
              </Command.Item>
              <Hits text={wanted} onPick={closeOverlay} />
            </Command.Group>
          )}
        </Command.List>
      </Command>
      <p className="palette-foot faint" aria-hidden>
        <kbd>↑</kbd> <kbd>↓</kbd> {texts.palette.keys.move}
        <CornerDownLeft className="glyph" /> {texts.palette.keys.choose}
        <kbd>{texts.keys.names.escape}</kbd> {texts.palette.keys.close}
      </p>
    </Dialog>
  )
}

/** Looks through label and keywords, never through the id. */
function byWords(_id: string, search: string, [label = '', ...keywords]: string[] = []): number {
  return defaultFilter(label, search, keywords)
}

function useGroups(deeds: ReturnType<typeof useDeeds>) {
  const workspace = useWorkspace()
  const { session } = useParams({ strict: false })
  const view = usePageState((state) => (session ? state.sessions[session]?.view : undefined))
  const workspaces = usePageState((state) => state.workspaces)
  const agents = useAgents().data?.agents
  const archived = useCell(archivedShown)
  return useMemo(
    () =>
      groupsOf({
        workspace,
        row: session ? workspace.sessions[session] : undefined,
        view,
        agents: agents ?? [],
        workspaces: workspaces.filter(({ archivedAt }) => archivedAt === null),
        archivedShown: archived,
        deeds,
      }),
    [workspace, session, view, workspaces, agents, archived, deeds],
  )
}

function Row({ entry, onPick }: { entry: Entry; onPick: (entry: Entry) => void }) {
  const { id = entry.label, label, note, keys, keywords } = entry
  return (
    <Command.Item
      value={id}
      keywords={[label, ...(keywords ?? [])]}
      className="palette-item"
      onSelect={() => onPick(entry)}
    >
      <span className="cut grow">{label}</span>
      {note && <span className="faint cut palette-note">{note}</span>}
      {keys?.split(' ').map((key) => (
        <kbd key={key} aria-hidden>
          {key}
        </kbd>
      ))}
    </Command.Item>
  )
}

const MOST_HITS = 5

function Hits({ text, onPick }: { text: string; onPick: () => void }) {
  const { hits } = useSearch(text, undefined, MOST_HITS)
  const deeds = useDeeds()
  return hits.map((hit) => (
    <Command.Item
      key={`${hit.session}.${hit.n}`}
      forceMount
      value={`hit:${hit.session}.${hit.n}`}
      className="palette-item"
      onSelect={() => {
        onPick()
        deeds.goItem(hit.session, hit.n)
      }}
    >
      <Hit hit={hit} />
    </Command.Item>
  ))
}
