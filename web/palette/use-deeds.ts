import { useNavigate } from '@tanstack/react-router'
import { useMemo } from 'react'
import { CarrelError } from '../../src/model/errors.ts'
import type { Project, Session } from '../../src/model/tree.ts'
import { remember } from '../data/memory.ts'
import { useCreateSession } from '../data/new-session.ts'
import { usePage } from '../data/use-page.ts'
import { beginApply } from '../places/apply.ts'
import { exportPatch } from '../places/export.ts'
import { archive, bringBack } from '../shell/archive.ts'
import type { Noun } from '../shell/noun.ts'
import { type Overlay, overlay } from '../shell/overlay.ts'
import { type Preferences, prefer } from '../shell/preferences.ts'
import { toggleArchived } from '../shell/show-archived.ts'
import { attempt } from '../shell/toasts.ts'
import { texts } from '../texts/texts.ts'

interface Thing {
  readonly noun: Noun
  readonly id: string
  readonly name: string
}

export type Deeds = ReturnType<typeof useDeeds>

/** What the entries of the palette do. Each says by itself what went wrong. */
export function useDeeds() {
  const page = usePage()
  const navigate = useNavigate()
  const create = useCreateSession()
  return useMemo(() => {
    const workspace = (): string => page.state().workspaceId!
    const goSession = (session: string) => navigate({ to: '/s/$session', params: { session } })
    return {
      go: (to: '/inbox' | '/board' | '/history' | '/add') => void navigate({ to }),
      goSession: (session: string) => void goSession(session),
      goItem: (session: string, n: number) =>
        void navigate({ to: '/s/$session', params: { session }, hash: String(n) }),
      search: (text: string, session?: string) =>
        void navigate({ to: '/search', search: { ...(text && { q: text }), ...(session && { session }) } }),
      enter: (id: string) => {
        remember('workspace', id)
        location.assign('/')
      },
      over: (next: Overlay) => overlay.set(next),
      prefer: (change: Partial<Preferences>) => prefer(change),
      toggleArchived,
      apply: (project: Project) => beginApply(page.state().workspace!, project),
      patch: ({ id, name }: Project) => void exportPatch(page, id, name),
      create: (project: string) => void attempt(texts.tree.noNewSession, () => create(project)),
      stop: ({ id, name }: Session, run: string) =>
        void attempt(texts.palette.problems.notStopped(name), () =>
          page.call('sessions.cancel', { workspace: workspace(), id, run }),
        ),
      withdraw: ({ id }: Session, prompts: readonly string[]) =>
        void attempt(texts.palette.problems.notWithdrawn, async () => {
          for (const prompt of prompts) await page.call('prompts.withdraw', { workspace: workspace(), id, prompt })
        }),
      fork: ({ id, name }: Session, seq: number) =>
        void attempt(texts.palette.problems.notForked(name), async () => {
          const made = await page.call('sessions.fork', { workspace: workspace(), id, seq })
          await goSession(made.id)
        }),
      configure: (
        { id }: Session,
        agent: string,
        mode: string | undefined,
        options: Record<string, string | boolean>,
      ) =>
        void attempt(texts.palette.problems.notConfigured, () =>
          page.call('sessions.configure', {
            workspace: workspace(),
            id,
            agent,
            options,
            ...(mode !== undefined && { mode }),
          }),
        ),
      close: ({ id, name }: Session) =>
        void attempt(texts.palette.problems.notClosed(name), () =>
          page.call('sessions.close', { workspace: workspace(), id }),
        ),
      archive: ({ noun, ...thing }: Thing) => void archive(page, noun, [thing]),
      bringBack: ({ noun, ...thing }: Thing) => void bringBack(page, noun, [thing]),
      copyLink: (session: string) =>
        void attempt(
          texts.palette.problems.notCopied,
          () => navigator.clipboard.writeText(`${location.origin}/s/${session}`),
          texts.palette.copied,
        ),
      logOut: () =>
        void attempt(texts.palette.problems.notLoggedOut, async () => {
          const { ok, status } = await fetch('/logout', { method: 'POST' })
          if (!ok) throw new CarrelError('unavailable', texts.palette.problems.logOutFailed(status))
          await page.start()
        }),
    }
  }, [page, navigate, create])
}
