import type { SessionId, WorkspaceId } from '../../model/ids.ts'
import type { Asked, Begins, Submitted } from '../../store/store.ts'

/** A prompt that is about to be put into a log. */
export interface Coming {
  readonly workspace: WorkspaceId
  readonly session: SessionId
  readonly prompt: Extract<Asked, { type: 'prompt.requested' }>['data']
  /**
   * Puts it there, with what follows from it in the same commit. Only the first call does; all have its result, or null
   * where it was refused: why is told to whoever prompts. Never rejects.
   */
  submit(begins: Begins | null): Promise<Submitted | null>
}

/**
 * Gives those who serve sessions here the chance to admit a prompt with its arrival, instead of hearing of it after that.
 * A word of this process only: nothing depends on its being heard.
 */
export interface Ahead {
  /** Resolves when `put` has put it into the log, which is called at once, or a moment later where somebody listens. */
  bring(prompt: Omit<Coming, 'submit'>, put: (begins: Begins | null) => Promise<Submitted>): Promise<Submitted>
  /** One listener at a time; it answers whether it will call `submit`. Returns the way to stop. */
  listen(listener: (coming: Coming) => boolean): () => void
}

/** Whoever prompts waits for no more than this for what is made ready. ms. */
const PATIENCE_MS = 10

export function createAhead(): Ahead {
  let hears: ((coming: Coming) => boolean) | null = null
  return {
    async bring(prompt, put) {
      const arrived = Promise.withResolvers<Submitted>()
      let called = false
      const submit: Coming['submit'] = (begins) => {
        if (!called) arrived.resolve(put(begins))
        called = true
        return arrived.promise.catch(() => null)
      }
      if (!hears?.({ ...prompt, submit })) return await put(null)
      const patience = setTimeout(() => void submit(null), PATIENCE_MS)
      try {
        return await arrived.promise
      } finally {
        clearTimeout(patience)
      }
    },
    listen(listener) {
      hears = listener
      return () => {
        hears = null
      }
    },
  }
}
