import { useNavigate } from '@tanstack/react-router'
import { useMemo } from 'react'
import { CarrelError } from '../../src/model/errors.ts'
import type { Project, Session } from '../../src/model/tree.ts'
import { archive, unarchive } from '../data/archive.ts'
import { remember } from '../data/memory.ts'
import { useCreateSession } from '../data/new-session.ts'
import { type Overlay, overlay } from '../data/overlay.ts'
import type { PageStore } from '../data/page-state.ts'
import { type Preferences, prefer } from '../data/preferences.ts'
import { toggleArchived } from '../data/show-archived.ts'
import { attempt } from '../data/toasts.ts'
import { usePage } from '../data/use-page.ts'
import { beginApply, exportPatch } from '../places/entries.ts'
import { texts } from '../texts/texts.ts'
import type { TreeNoun } from '../texts/words/nouns.ts'

type Navigate = ReturnType<typeof useNavigate>

interface TreeThing {
  readonly noun: TreeNoun
  readonly id: string
  readonly name: string
}

interface AgentSettings {
  readonly agent: string
  readonly mode?: string
  readonly options?: Readonly<Record<string, string | boolean>>
}

export type PaletteCommands = ReturnType<typeof usePaletteCommands>

/** The commands behind the entries of the palette. Each reports its own failure. */
export function usePaletteCommands() {
  const page = usePage()
  const navigate = useNavigate()
  const create = useCreateSession()
  return useMemo(
    () => ({
      ...navigation(page, navigate),
      ...sessionCommands(page, navigate),
      ...treeCommands(page),
      create: (project: string) => void attempt(texts.tree.noNewSession, () => create(project)),
      over: (next: Overlay) => overlay.set(next),
      prefer: (change: Partial<Preferences>) => prefer(change),
      toggleArchived,
    }),
    [page, navigate, create],
  )
}

function navigation(page: PageStore, navigate: Navigate) {
  return {
    go: (to: '/inbox' | '/board' | '/history' | '/add') => void navigate({ to }),
    goSession: (session: string) => void navigate({ to: '/s/$session', params: { session } }),
    goItem: (session: string, n: number) => void navigate({ to: '/s/$session', params: { session }, hash: String(n) }),
    search: (text: string, session?: string) =>
      void navigate({ to: '/search', search: { ...(text && { q: text }), ...(session && { session }) } }),
    enter: (workspace: string) => {
      remember('workspace', workspace)
      location.assign('/')
    },
    logOut: () =>
      void attempt(texts.palette.problems.notLoggedOut, async () => {
        const { ok, status } = await fetch('/logout', { method: 'POST' })
        if (!ok) throw new CarrelError('unavailable', texts.palette.problems.logOutFailed(status))
        await page.start()
      }),
  }
}

function sessionCommands(page: PageStore, navigate: Navigate) {
  const labels = texts.palette.problems
  const target = ({ id }: Pick<Session, 'id'>) => ({ workspace: page.state().workspaceId!, id })
  return {
    stop: (session: Session, run: string) =>
      void attempt(labels.notStopped(session.name), () => page.call('sessions.cancel', { ...target(session), run })),
    withdraw: (session: Session, prompts: readonly string[]) =>
      void attempt(labels.notWithdrawn, async () => {
        for (const prompt of prompts) await page.call('prompts.withdraw', { ...target(session), prompt })
      }),
    fork: (session: Session, seq: number) =>
      void attempt(labels.notForked(session.name), async () => {
        const fork = await page.call('sessions.fork', { ...target(session), seq })
        await navigate({ to: '/s/$session', params: { session: fork.id } })
      }),
    configure: (session: Session, { options = {}, ...settings }: AgentSettings) =>
      void attempt(labels.notConfigured, () =>
        page.call('sessions.configure', { ...target(session), ...settings, options }),
      ),
    close: (session: Session) =>
      void attempt(labels.notClosed(session.name), () => page.call('sessions.close', target(session))),
    copyLink: (session: string) =>
      void attempt(
        labels.notCopied,
        () => navigator.clipboard.writeText(`${location.origin}/s/${session}`),
        texts.palette.copied,
      ),
  }
}

function treeCommands(page: PageStore) {
  return {
    archive: ({ noun, ...thing }: TreeThing) => void archive(page, noun, [thing]),
    unarchive: ({ noun, ...thing }: TreeThing) => void unarchive(page, noun, [thing]),
    apply: (project: Project) => beginApply(page.state().workspace!, project),
    patch: ({ id, name }: Project) => void exportPatch(page, id, name),
  }
}
