import type { PlaceKind } from '../../model/tree.ts'
import type { ExportBranch } from './branch-export.ts'

/** Where the files of a project are, opened for use. */
export interface Place {
  readonly kind: PlaceKind
  /** The way the files are kept apart, in words: `the folder itself`, `git worktree`, `overlayfs`, `reflink`, `copy`. */
  readonly driver: string
  /** Where an agent sees it: its working folder. */
  readonly path: string
  /** Where this process reads and writes the same files: another than `path` for a view in a namespace of its own. */
  readonly root: string
  /** Stands before the command of an agent, so that it starts inside the view; empty where nothing is needed. */
  readonly enter: readonly string[]
  /** Names the namespace: agents of another one cannot serve here. Null where all see the same. */
  readonly namespace: string | null
  /** For a view over a frozen folder: that folder, and the one that holds exactly what was changed. */
  readonly layer: { readonly lower: string; readonly upper: string } | null
  /** What belongs to it elsewhere: the repository that a work tree shares, and the folders of that which its git writes. */
  readonly outside: { readonly reads: readonly string[]; readonly writes: readonly string[] }
}

/** What is remembered of a place that was made, in the project's row. Plain JSON. */
export interface PlaceRecord {
  readonly kind: PlaceKind
  readonly path: string
  readonly driver: string
  /** `worktree`: its branch, whether Carrel made that branch, and the commit it began at. */
  readonly git: {
    /** The git folder that all work trees of the repository share. */
    readonly repository: string
    /** The top of the worktree: above `path` where the Space is a sub-folder of its repository. */
    readonly top: string
    readonly branch: string
    readonly madeBranch: boolean
    readonly base: string
  } | null
  /** `overlay`: the folder of its parts. What lies below it, and the rights it was mounted with; null where it is a copy. */
  readonly overlay: {
    readonly folder: string
    readonly base: string | null
    readonly rights: 'own' | 'user namespace' | null
  } | null
  /** What whoever works there has to know, in sentences: empty submodules, filters that did not run, what was left out. */
  readonly notes: readonly string[]
}

export interface MakePlace {
  readonly kind: 'worktree' | 'overlay'
  /** Names the folder: the project's id. */
  readonly id: string
  /** The Space's folder. */
  readonly source: string
  /** Below Carrel's data folder. */
  readonly parent: string
  /** `worktree`: a new branch of this name, or an existing one; null makes `carrel/<id>`. */
  readonly branch: string | null
  /** `worktree`: what to begin at; null is HEAD. */
  readonly start: string | null
  /** `worktree`: patterns, as in `.gitignore`, of files that git does not have and that come along (`.env`). */
  readonly include: readonly string[]
  /** A command for the new place, run without a shell: program and arguments. */
  readonly setup: readonly string[] | null
  /** `overlay`: a driver asked for by name; null takes the best of this machine. Asked for and impossible is an error (F8). */
  readonly driver: string | null
  readonly signal: AbortSignal
  /** Words for whoever waits. */
  readonly onProgress: (text: string) => void
}

/** What would be lost if the place went now. */
export interface PlaceRisks {
  readonly missing: boolean
  /** Uncommitted or untracked paths (worktree), or changed ones that were not applied (overlay); at most 200. */
  readonly changed: readonly string[]
  /** Commits of its branch that no other branch and no remote has. */
  readonly unpushed: number
  /** A merge, rebase or the like is half done. */
  readonly underway: string | null
}

export const NOTHING_OUTSIDE: Place['outside'] = { reads: [], writes: [] }

export interface Places {
  /** Drivers of this machine, best first, with why one is missing: for `carrel doctor` and the page. */
  drivers(): Promise<readonly { readonly name: string; readonly usable: boolean; readonly detail: string }[]>
  /** @throws bad_input, unavailable; leaves nothing behind when it throws */
  make(ask: MakePlace): Promise<PlaceRecord>
  /**
   * Ready for a run: mounted, and proven to be what it says (a registered worktree, a view over its own base).
   * @throws gone with what to do; never falls back to another folder (F8)
   */
  open(record: PlaceRecord): Promise<Place>
  risks(record: PlaceRecord): Promise<PlaceRisks>
  /** Takes the place away. A branch that Carrel did not make stays; one with commits nobody else has stays too. */
  remove(record: PlaceRecord): Promise<{ readonly kept: readonly string[] }>
  /** A branch with one commit of a patch, in the repository of a Space, whose folder is not touched. @throws bad_input */
  exportBranch(ask: ExportBranch): Promise<{ readonly commit: string }>
  /** Ends helpers of places, leaves the files. */
  close(): Promise<void>
}
