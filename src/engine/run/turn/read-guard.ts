import type { AgentListener } from '../../../host/agent/agent.ts'
import type { Author, FilePath } from '../../../model/files/history.ts'
import type { RunFiles } from '../files/run-files.ts'

/**
 * Guards files that a run reads and writes through Carrel's file requests. A run cannot overwrite a version that
 * another author wrote since the run read the file: the refusal asks it to read again.
 * @param known the version that the agent last read or wrote, by path; null for no file
 */
export function guardFiles(
  files: RunFiles,
  known = new Map<FilePath, string | null>(),
): Pick<AgentListener, 'read' | 'mayWrite' | 'wrote'> {
  const refusalOf = async (path: FilePath, digest: string | null): Promise<string | null> => {
    await files.keep([path])
    if (!known.has(path) || known.get(path) === digest) return null
    const author = await files.lastAuthor(path)
    return isOwn(files, author) ? null : reasonOf(path, author)
  }
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
      files.writes(inside)
      const refused = await refusalOf(inside, digest)
      if (refused === null) await files.names(inside)
      else files.wrote(inside, 'failed')
      return refused
    },
    wrote(path, digest) {
      const inside = files.toPath(path)
      if (inside === null) return
      files.wrote(inside, digest === null ? 'failed' : 'written')
      if (digest !== null) known.set(inside, digest)
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
