import { useParams } from '@tanstack/react-router'
import { Command, defaultFilter } from 'cmdk'
import { CornerDownLeft } from 'lucide-react'
import { useMemo, useState } from 'react'
import { closeOverlay } from '../data/overlay.ts'
import { useAgents } from '../data/queries.ts'
import { archivedShown } from '../data/show-archived.ts'
import { usePageState, useWorkspace } from '../data/use-page.ts'
import { Hit } from '../search/Hit.tsx'
import { useSearch } from '../search/use-search.ts'
import { texts } from '../texts/texts.ts'
import { useCell } from '../ui/cell.ts'
import { Dialog } from '../ui/Dialog.tsx'
import { groupsOf, type PaletteEntry } from './entries.ts'
import { usePaletteCommands } from './use-commands.ts'
import './palette.css'

/** The command palette: finds commands, views, sessions and messages by a few letters. */
export function Palette() {
  const [text, setText] = useState('')
  const commands = usePaletteCommands()
  const groups = useGroups(commands)
  const pick = ({ act }: Pick<PaletteEntry, 'act'>): void => {
    // Closes first: the entry may open another overlay.
    closeOverlay()
    act()
  }
  const wanted = text.trim()
  return (
    <Dialog title={texts.palette.title} onClose={closeOverlay} className="palette">
      <Command label={texts.palette.title} loop filter={byText}>
        <Command.Input
          className="palette-field"
          placeholder={texts.palette.placeholder}
          value={text}
          onValueChange={setText}
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
            <Command.Group heading={texts.palette.transcripts} forceMount>
              <Command.Item
                forceMount
                value={`search:${wanted}`}
                className="palette-item"
                onSelect={() => pick({ act: () => commands.search(wanted) })}
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

/** Matches label and keywords, never the id. */
function byText(_id: string, search: string, [label = '', ...keywords]: string[] = []): number {
  return defaultFilter(label, search, keywords)
}

function useGroups(commands: ReturnType<typeof usePaletteCommands>) {
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
        commands,
      }),
    [workspace, session, view, workspaces, agents, archived, commands],
  )
}

function Row({ entry, onPick }: { entry: PaletteEntry; onPick: (entry: PaletteEntry) => void }) {
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
  const commands = usePaletteCommands()
  return hits.map((hit) => (
    <Command.Item
      key={`${hit.session}.${hit.n}`}
      forceMount
      value={`hit:${hit.session}.${hit.n}`}
      className="palette-item"
      onSelect={() => {
        onPick()
        commands.goItem(hit.session, hit.n)
      }}
    >
      <Hit hit={hit} />
    </Command.Item>
  ))
}
