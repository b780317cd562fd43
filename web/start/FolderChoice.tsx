import { ArrowUp, Folder, FolderGit2, FolderSearch, SquareDashed } from 'lucide-react'
import { useState } from 'react'
import { asCarrelError } from '../../src/model/errors.ts'
import { useFolders } from '../data/queries.ts'
import { texts } from '../texts/texts.ts'
import { Problem } from '../ui/Problem.tsx'

/** What `spaces.create` is given: a folder, or nothing for a blank Space. */
export interface Chosen {
  readonly folder?: string
  readonly name?: string
}

interface Props {
  readonly chosen: Chosen | null
  readonly onChoose: (chosen: Chosen | null) => void
}

const parentOf = (path: string): string => path.replace(/\/[^/]+\/?$/, '') || '/'

/** Folders nearby, the way down into others, a path by hand, or no folder at all. */
export function FolderChoice({ chosen, onChoose }: Props) {
  const [within, setWithin] = useState<string | null>(null)
  const folders = useFolders(within)
  const typed = chosen?.folder ?? ''
  const at = folders.data?.folder ?? within
  return (
    <div className="stack">
      <div className="folders">
        <div className="folders-head">
          <span className="grow cut faint">{within === null ? texts.start.folders.nearby : at}</span>
          {within === null && at !== null && (
            <button type="button" className="btn quiet" onClick={() => setWithin(at)}>
              <FolderSearch aria-hidden />
              {texts.start.folders.browse}
            </button>
          )}
          {within !== null && (
            <>
              <button type="button" className="btn quiet" onClick={() => setWithin(parentOf(within))}>
                <ArrowUp aria-hidden />
                {texts.start.folders.up}
              </button>
              <button type="button" className="btn" onClick={() => onChoose({ folder: within })}>
                {texts.start.folders.choose}
              </button>
            </>
          )}
        </div>
        <ul className="folder-list scroll" aria-label={texts.start.folders.title} aria-busy={folders.isPending}>
          {folders.isPending && <li className="folder-note">{texts.start.folders.looking}</li>}
          {folders.data?.folders.length === 0 && (
            <li className="folder-note">
              {within === null ? texts.start.folders.noneNearby : texts.start.folders.noneInside}
            </li>
          )}
          {folders.data?.folders.map(({ path, name, git, branch }) => (
            <li key={path} className="folder" data-chosen={chosen?.folder === path || undefined}>
              <button type="button" aria-pressed={chosen?.folder === path} onClick={() => onChoose({ folder: path })}>
                {git ? <FolderGit2 className="glyph" aria-hidden /> : <Folder className="glyph" aria-hidden />}
                <span className="cut">{name}</span>
                <span className="faint cut grow" title={path}>
                  {path}
                </span>
                {branch && <span className="faint">{branch}</span>}
              </button>
              <button
                type="button"
                className="btn quiet"
                aria-label={texts.start.folders.openOne(name)}
                onClick={() => setWithin(path)}
              >
                {texts.start.folders.open}
              </button>
            </li>
          ))}
        </ul>
      </div>
      {folders.error && <Problem error={asCarrelError(folders.error)} />}
      <div className="row wrap">
        <input
          className="field grow mono"
          placeholder={texts.start.folders.example}
          aria-label={texts.start.folders.path}
          value={typed}
          spellCheck={false}
          onChange={(event) => onChoose(event.target.value ? { folder: event.target.value } : null)}
        />
        <button
          type="button"
          className="btn"
          aria-pressed={chosen !== null && chosen.folder === undefined}
          data-chosen={(chosen !== null && chosen.folder === undefined) || undefined}
          onClick={() => onChoose({})}
        >
          <SquareDashed aria-hidden />
          {texts.start.folders.blank}
        </button>
      </div>
    </div>
  )
}
