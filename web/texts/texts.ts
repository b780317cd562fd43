import { board } from './board.ts'
import { browser } from './browser.ts'
import { composer } from './composer.ts'
import { environment } from './environment.ts'
import { files } from './files.ts'
import { inbox } from './inbox.ts'
import { notify } from './notify.ts'
import { palette } from './palette.ts'
import { places } from './places.ts'
import { plans } from './plans.ts'
import { question } from './question.ts'
import { ruleList } from './rule-list.ts'
import { rules } from './rules.ts'
import { search } from './search.ts'
import { secrets } from './secrets.ts'
import { session } from './session.ts'
import { settings } from './settings.ts'
import { shell } from './shell.ts'
import { start } from './start.ts'
import { timeline } from './timeline.ts'
import { transcript } from './transcript.ts'
import { tree } from './tree.ts'
import { ui } from './ui.ts'
import { keys } from './words/keys.ts'

const english = {
  board,
  browser,
  composer,
  files,
  inbox,
  keys,
  notify,
  palette,
  places,
  plans,
  question,
  ruleList,
  rules,
  search,
  secrets,
  session,
  settings,
  shell,
  start,
  environment,
  timeline,
  transcript,
  tree,
  ui,
}

/** The same table in any language: each text any string, each list of any length. */
type InAnyWords<Table> = Table extends string
  ? string
  : Table extends readonly string[]
    ? readonly string[]
    : Table extends (...values: infer Values) => string
      ? (...values: Values) => string
      : { readonly [Name in keyof Table]: InAnyWords<Table[Name]> }

/** The shape of a table in another language. */
export type Texts = InAnyWords<typeof english>

/** Every text of the page. Texts of the server, of agents and of people come from elsewhere. */
export const texts: Texts = english
