import type { SessionId, WorkspaceId } from '../model/ids.ts'
import type { Begins, SessionRequest, Submitted } from '../store/store.ts'

/** A prompt that is not in its log yet. */
export interface ArrivingPrompt {
  readonly workspace: WorkspaceId
  readonly session: SessionId
  readonly prompt: Extract<SessionRequest, { type: 'prompt.requested' }>['data']
  /**
   * Writes the prompt, with `begins` in the same commit. Only the first call writes; every call has its result, or null
   * where the store refused the prompt. Never rejects: the sender of the prompt gets the error.
   */
  submit(begins: Begins | null): Promise<Submitted | null>
}

/** Offers arriving prompts to the supervisor of this node before they are written. An optimisation only. */
export interface PromptDoor {
  /** Writes a prompt by `write`: at once without a listener, else when the listener or a short wait says so. */
  submit(
    prompt: Omit<ArrivingPrompt, 'submit'>,
    write: (begins: Begins | null) => Promise<Submitted>,
  ): Promise<Submitted>
  /** Sets the only listener; it answers whether it will call `submit`. Returns the way to stop. */
  onPrompt(listener: (arriving: ArrivingPrompt) => boolean): () => void
}
