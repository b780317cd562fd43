import { useNavigate } from '@tanstack/react-router'
import { Play, Sparkles } from 'lucide-react'
import { useState } from 'react'
import { remember } from '../data/memory.ts'
import { useAgents } from '../data/queries.ts'
import { usePage, useSubmit, useWorkspaceId } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
import { Problem } from '../ui/Problem.tsx'
import { AgentCards } from './AgentCards.tsx'
import { FolderChoice, type SpaceChoice } from './FolderChoice.tsx'
import './start.css'

/** The prompt of the tour, placed in the composer ready to send. */
const TOUR_PROMPT = 'tour'

export const AddSpace = () => <StartForm first={false} />

/** The form that starts a session: a folder and an agent. `first`: the workspace is empty, so the tour is offered. */
export function StartForm({ first }: { first: boolean }) {
  const agents = useAgents()
  const [folder, setFolder] = useState<SpaceChoice | null>(null)
  const [agent, setAgent] = useState<string | null>(null)
  const list = agents.data?.agents
  const scripted = list?.find(({ origin }) => origin === 'scripted')
  const chosenAgent = agent ?? (list?.some(({ id }) => id === agents.data?.default) ? agents.data!.default : null)
  const begin = useBegin()
  const { title, text } = first ? texts.start.welcome : texts.start.add
  return (
    <div className="start scroll">
      <div className="start-column">
        <header className="stack">
          <h1>{title}</h1>
          <p className="dim">{text}</p>
        </header>
        {first && scripted && (
          <Tour
            pending={begin.pending}
            onBegin={() => begin.run({ name: texts.start.tour.space }, scripted.id, TOUR_PROMPT)}
          />
        )}
        <section aria-labelledby="start-where">
          <h2 id="start-where">{texts.start.where}</h2>
          <FolderChoice chosen={folder} onChoose={setFolder} />
        </section>
        <section aria-labelledby="start-who">
          <h2 id="start-who">{texts.start.who}</h2>
          <Problem error={agents.error} />
          {agents.isPending && <p className="dim">{texts.start.lookingForAgents}</p>}
          {list && <AgentCards agents={list} chosen={chosenAgent} onChoose={setAgent} />}
        </section>
        <Problem error={begin.problem} what={texts.start.failed} />
        <footer className="start-foot">
          <p className="grow dim cut">
            {folder ? (folder.folder ?? texts.start.chosen.blank) : texts.start.chosen.none}
          </p>
          <Button
            icon={Play}
            label={texts.start.begin}
            className="primary"
            disabled={!folder || begin.pending}
            onClick={() => folder && begin.run(folder, chosenAgent, '')}
          />
        </footer>
      </div>
    </div>
  )
}

function Tour({ pending, onBegin }: { pending: boolean; onBegin: () => void }) {
  const labels = texts.start.tour
  return (
    <div className="tour">
      <Sparkles className="glyph" aria-hidden />
      <p className="grow">
        <b>{labels.title}</b> {labels.text}
      </p>
      <Button label={labels.begin} disabled={pending} onClick={onBegin} />
    </div>
  )
}

function useBegin() {
  const page = usePage()
  const workspace = useWorkspaceId()
  const navigate = useNavigate()
  return useSubmit(async (where: SpaceChoice, agent: string | null, draft: string) => {
    const { project } = await page.call('spaces.create', { workspace, ...where })
    const session = await page.call('sessions.create', { workspace, project: project.id, ...(agent && { agent }) })
    if (draft) remember(`draft.${session.id}`, draft)
    await navigate({ to: '/s/$session', params: { session: session.id } })
  })
}
