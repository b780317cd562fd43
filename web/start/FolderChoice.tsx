import { ArrowUp, Folder, FolderGit2, FolderSearch, SquareDashed } from 'lucide-react'
import { useState } from 'react'
import type { Output } from '../../src/api/index.ts'
import { useFolders } from '../data/queries.ts'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
import { Problem } from '../ui/Problem.tsx'

/** Input of `spaces.create`: a folder, or none for a blank Space. */
export interface SpaceChoice {
  readonly folder?: string
  readonly name?: string
}

interface Props {
  readonly chosen: SpaceChoice | null
  readonly onChoose: (chosen: SpaceChoice | null) => void
}

type SuggestedFolder = Output<'folders.suggest'>['folders'][number]

const parentOf = (path: string): string => path.replace(/\/[^/]+\/?$/, '') || '/'

/** The choice of a folder: nearby, by browsing, by path, or none for a blank Space. */
export function FolderChoice({ chosen, onChoose }: Props) {
  const [within, setWithin] = useState<string | null>(null)
  const folders = useFolders(within)
  const labels = texts.start.folders
  return (
    <div className="stack">
      <div className="folders">
        <FoldersHead
          within={within}
          at={folders.data?.folder ?? within}
          onWithin={setWithin}
          onChoose={(folder) => onChoose({ folder })}
        />
        <ul className="folder-list scroll" aria-label={labels.title} aria-busy={folders.isPending}>
          {folders.isPending && <li className="folder-note">{labels.looking}</li>}
          {folders.data?.folders.length === 0 && (
            <li className="folder-note">{within === null ? labels.noneNearby : labels.noneInside}</li>
          )}
          {folders.data?.folders.map((folder) => (
            <FolderRow
              key={folder.path}
              folder={folder}
              chosen={chosen?.folder === folder.path}
              onChoose={() => onChoose({ folder: folder.path })}
              onOpen={() => setWithin(folder.path)}
            />
          ))}
        </ul>
      </div>
      <Problem error={folders.error} />
      <PathOrBlank chosen={chosen} onChoose={onChoose} />
    </div>
  )
}

interface HeadProps {
  /** The folder that is open, or null for the folders nearby. */
  readonly within: string | null
  readonly at: string | null
  readonly onWithin: (folder: string) => void
  readonly onChoose: (folder: string) => void
}

function FoldersHead({ within, at, onWithin, onChoose }: HeadProps) {
  const labels = texts.start.folders
  return (
    <div className="folders-head">
      <span className="grow cut faint">{within === null ? labels.nearby : at}</span>
      {within === null && at !== null && (
        <Button icon={FolderSearch} label={labels.browse} className="quiet" onClick={() => onWithin(at)} />
      )}
      {within !== null && (
        <>
          <Button icon={ArrowUp} label={labels.up} className="quiet" onClick={() => onWithin(parentOf(within))} />
          <Button label={labels.choose} onClick={() => onChoose(within)} />
        </>
      )}
    </div>
  )
}

interface RowProps {
  readonly folder: SuggestedFolder
  readonly chosen: boolean
  readonly onChoose: () => void
  readonly onOpen: () => void
}

function FolderRow({ folder: { path, name, git, branch }, chosen, onChoose, onOpen }: RowProps) {
  const Icon = git ? FolderGit2 : Folder
  return (
    <li className="folder" data-chosen={chosen || undefined}>
      <button type="button" aria-pressed={chosen} onClick={onChoose}>
        <Icon className="glyph" aria-hidden />
        <span className="cut">{name}</span>
        <span className="faint cut grow" title={path}>
          {path}
        </span>
        {branch && <span className="faint">{branch}</span>}
      </button>
      <Button className="quiet" aria-label={texts.start.folders.openOne(name)} onClick={onOpen}>
        {texts.start.folders.open}
      </Button>
    </li>
  )
}

function PathOrBlank({ chosen, onChoose }: Props) {
  const labels = texts.start.folders
  const blank = chosen !== null && chosen.folder === undefined
  return (
    <div className="row wrap">
      <input
        className="field grow mono"
        placeholder={labels.example}
        aria-label={labels.path}
        value={chosen?.folder ?? ''}
        spellCheck={false}
        onChange={(event) => onChoose(event.target.value ? { folder: event.target.value } : null)}
      />
      <Button icon={SquareDashed} aria-pressed={blank} data-chosen={blank || undefined} onClick={() => onChoose({})}>
        {labels.blank}
      </Button>
    </div>
  )
}
