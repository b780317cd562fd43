import { folderOf, nameOf, shownPath } from './groups.ts'

/** A path that is cut at its beginning when space is short: the end says more. */
export function PathName({ path, within = '' }: { path: string; within?: string }) {
  const shown = shownPath(path)
  const folder = folderOf(shown)
  return (
    <span className="path-name" title={shown} dir="ltr">
      {folder !== within && folder && <span className="cut path-folder">{folder}/</span>}
      <bdi className="cut path-last">{nameOf(shown)}</bdi>
    </span>
  )
}
