import type { PlaceKind } from '../../model/tree.ts'
import type { RootIdentity } from '../root-folder.ts'
import type { ExportBranch } from './branch-export.ts'

/** Folder of a project's files, opened for use. */
export interface Place {
  readonly kind: PlaceKind
  /** Driver that keeps the files apart: `the folder itself`, `git worktree`, `overlayfs`, `reflink`, `copy`. */
  readonly driver: string
  /** Path for an agent: its working folder. */
  readonly path: string
  /** Path of the same files for this process; differs from `path` for a view in its own namespace. */
  readonly root: string
  /** Returns the identity that the folder `path` must have now; null or nothing accepts any folder. */
  readonly identity?: () => RootIdentity | null
  /** Prefix of an agent's command that enters the view; empty where none is needed. */
  readonly enter: readonly string[]
  /** Name of the namespace: agents of another one cannot serve here. Null without a namespace. */
  readonly namespace: string | null
  /** For a view over a frozen folder: that folder, and the one that holds exactly the changes. */
  readonly layer: { readonly lower: string; readonly upper: string } | null
  /** Folders elsewhere that belong to the place: a work tree's repository, and what git writes of it. */
  readonly outside: { readonly reads: readonly string[]; readonly writes: readonly string[] }
}

/** Record of a place in the project's row. Plain JSON. */
export interface PlaceRecord {
  readonly kind: PlaceKind
  readonly path: string
  readonly driver: string
  /** For `worktree`: its branch, whether Carrel made that branch, and its first commit. */
  readonly git: {
    /** Git folder that all work trees of the repository share. */
    readonly repository: string
    /** Top of the worktree: above `path` where the Space is a sub-folder of its repository. */
    readonly top: string
    readonly branch: string
    readonly madeBranch: boolean
    readonly base: string
  } | null
  /** For `overlay`: the folder of its parts, the base below it and the rights of its mount; null for a copy. */
  readonly overlay: {
    readonly folder: string
    readonly base: string | null
    readonly rights: 'own' | 'user namespace' | null
  } | null
  /** Notes for people and agents, in sentences: empty submodules, filters that did not run, files left out. */
  readonly notes: readonly string[]
}

export interface MakePlace {
  readonly kind: 'worktree' | 'overlay'
  /** Id of the project, which names the folder. */
  readonly id: string
  /** Folder of the Space. */
  readonly source: string
  /** Folder below Carrel's data folder. */
  readonly parent: string
  /** For `worktree`: a new or existing branch; null makes `carrel/<id>`. */
  readonly branch: string | null
  /** For `worktree`: start commit of a new branch; null is HEAD. */
  readonly start: string | null
  /** For `worktree`: patterns in `.gitignore` syntax of files outside of git to copy (`.env`). */
  readonly include: readonly string[]
  /** Set-up command for the new place, run without a shell: program and arguments. */
  readonly setup: readonly string[] | null
  /** For `overlay`: a driver by name; null takes the best of this machine. An unusable choice is an error (F8). */
  readonly driver: string | null
  readonly signal: AbortSignal
  /** Receives progress messages for people. */
  readonly onProgress: (text: string) => void
}

/** Losses if the place were removed now. */
export interface PlaceRisks {
  readonly missing: boolean
  /** Uncommitted or untracked paths (worktree), or changed ones that were not applied (overlay); at most 200. */
  readonly changed: readonly string[]
  /** Commits of its branch that no other branch and no remote has. */
  readonly unpushed: number
  /** Unfinished git operation, such as a merge or rebase. */
  readonly underway: string | null
}

export const NOTHING_OUTSIDE: Place['outside'] = { reads: [], writes: [] }

export interface Places {
  /** Returns the drivers of this machine, best first, with the reason for each unusable one. */
  drivers(): Promise<readonly { readonly name: string; readonly usable: boolean; readonly detail: string }[]>
  /** Makes a place. @throws bad_input, unavailable; leaves nothing behind then */
  make(ask: MakePlace): Promise<PlaceRecord>
  /** Opens a place for a run and verifies it. @throws gone with the next step; never takes another folder (F8) */
  open(record: PlaceRecord): Promise<Place>
  removalRisks(record: PlaceRecord): Promise<PlaceRisks>
  /** Removes the place. A branch stays if Carrel did not make it, or if it has commits that are nowhere else. */
  remove(record: PlaceRecord): Promise<{ readonly kept: readonly string[] }>
  /** Makes a branch with one commit of a patch, not touching the Space's folder. @throws bad_input */
  exportBranch(ask: ExportBranch): Promise<{ readonly commit: string }>
  /** Ends the views of places; the files stay. */
  close(): Promise<void>
}
