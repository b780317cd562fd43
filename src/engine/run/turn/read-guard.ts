import type { AgentListener } from '../../../host/agent/agent.ts'
import type { Author, FilePath } from '../../../model/files/history.ts'
import type { RunFiles } from '../files/run-files.ts'

/**
 * Guards files that a run reads and writes through Carrel's file requests. A run cannot overwrite a version that
 * another author wrote since the run read the file: the refusal asks it to read again.
 */
export function guardFiles(files: RunFiles): Pick<AgentListener, 'read' | 'mayWrite' | 'wrote'> {
  /** The version that this run last read or wrote, by path. */
  const known = new Map<FilePath, string | null>()
  return {
    read(path, digest) {
      const inside = files.toPath(path)
      if (inside === null) return
      files.paths.read(inside)
      known.set(inside, digest)
    },
    async mayWrite(path, digest) {
      const inside = files.toPath(path)
      if (inside === null) return null
      await files.keep([inside])
      if (!known.has(inside) || known.get(inside) === digest) return null
      const author = await files.lastAuthor(inside)
      return isOwn(files, author) ? null : reasonOf(inside, author)
    },
    wrote(path, _bytes, digest) {
      const inside = files.toPath(path)
      if (inside === null) return
      files.paths.wrote(inside)
      known.set(inside, digest)
    },
  }
}

const isOwn = ({ run }: RunFiles, author: Author | null): boolean => author?.kind === 'run' && author.run === run

function reasonOf(path: FilePath, author: Author | null): string {
  const who =
    author?.kind === 'run'
      ? 'another session'
      : author?.kind === 'act'
        ? `${author.by.name}, with an undo or restore,`
        : 'somebody else'
  return `${path} was changed by ${who} since you read it, so it was not overwritten. Read it again, then write what should be there now.`
}
