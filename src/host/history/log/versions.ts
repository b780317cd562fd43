import { hash } from 'node:crypto'
import type { FileState } from '../../../model/files/history.ts'
import type { Version } from '../../../model/files/merge.ts'
import type { Book } from './book.ts'

/** Returns a state with its content, which is read from the history on demand. */
export const versionOf = (book: Book, state: FileState | null): Version => ({
  state,
  bytes: () => (state === null || state.kind === 'folder' ? null : book.bytes(state)),
})

/** Returns a version with a text that is stored nowhere yet. */
export function textVersion(text: string, mode: number): Version {
  const bytes = Buffer.from(text, 'utf8')
  return {
    state: { kind: 'file', digest: hash('sha256', bytes), mode, size: bytes.length },
    bytes: () => bytes,
  }
}

export const FOLDER: Omit<FileState, 'mode'> = { kind: 'folder', digest: null, size: 0 }

export const isFolder = (state: FileState | null): boolean => state?.kind === 'folder'
